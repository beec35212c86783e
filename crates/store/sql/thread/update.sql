-- What a thread is called and how long its messages stay, if it is as the writer has read it.
-- Index: threads primary key.
UPDATE threads
SET title = :title, metadata = :metadata, retain_ms = :retain_ms, version = version + 1, updated_at = :now
WHERE id = :id AND project_id = :project AND version = :expected
