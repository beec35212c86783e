-- Forgets when values were last written; the values stay. A column with a default goes after it.
ALTER TABLE blobs DROP CONSTRAINT IF EXISTS blobs_touched_at;
ALTER TABLE blobs DROP COLUMN touched_at;
