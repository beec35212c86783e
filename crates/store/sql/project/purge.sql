-- Deletes a project that is deleted softly, and by cascade what belongs to it; runs must have gone
-- before. Index: projects primary key.
DELETE FROM projects WHERE id = :id AND deleted_at IS NOT NULL
