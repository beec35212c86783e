-- The same by their last change. Index: documents_updated.
SELECT updated_at, id, bytes FROM documents
WHERE project_id = :project AND {{beyond updated_at :at, id :edge}}
ORDER BY updated_at {{along}}, id {{along}} {{limit :limit}}
