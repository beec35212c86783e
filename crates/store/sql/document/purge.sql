-- Removes a deleted document, and its versions by cascade. Index: documents primary key.
DELETE FROM documents WHERE id = :id AND project_id = :project AND deleted_at IS NOT NULL
