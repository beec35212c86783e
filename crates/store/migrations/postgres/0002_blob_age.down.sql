-- Forgets when values were last written; the values stay.
ALTER TABLE blobs DROP COLUMN touched_at;
