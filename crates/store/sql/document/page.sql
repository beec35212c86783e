-- A page of a project's documents, either way. Index: documents_project.
SELECT id, project_id, type, language, title, version, overall, words, bytes, created_at,
       updated_at, deleted_at
FROM documents
WHERE project_id = :project AND {{beyond id :edge}} AND deleted_at IS NULL
ORDER BY id {{along}} {{limit :limit}}
