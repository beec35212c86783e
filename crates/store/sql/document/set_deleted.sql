-- Deletes a document, to be restored. Index: documents primary key.
UPDATE documents SET deleted_at = :now
WHERE id = :id AND project_id = :project AND version = :expected AND deleted_at IS NULL
