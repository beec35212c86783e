-- How many documents a project has, deleted ones or the others. Index: documents_deleted.
SELECT COUNT(*) AS found FROM documents
WHERE project_id = :project AND CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
