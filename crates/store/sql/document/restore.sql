-- Brings a deleted document back. Index: documents primary key.
UPDATE documents SET deleted_at = NULL, updated_at = :now
WHERE id = :id AND project_id = :project AND deleted_at IS NOT NULL
