-- When a value was last written, so that one that no run refers to can be told from one that a run
-- is about to refer to. UTC microseconds; those that are there already count as old.
ALTER TABLE blobs ADD COLUMN touched_at INTEGER NOT NULL DEFAULT 0;
