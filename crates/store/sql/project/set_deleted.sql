-- Deletes a project softly, or restores it, if it still has the version that was read.
-- Index: projects primary key.
UPDATE projects
SET deleted_at = :deleted_at, updated_at = :now, version = version + 1
WHERE id = :id AND version = :version
