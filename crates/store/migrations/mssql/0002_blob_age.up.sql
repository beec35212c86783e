-- When a value was last written, so that one that no run refers to can be told from one that a run
-- is about to refer to. UTC microseconds; those that are there already count as old.
ALTER TABLE blobs ADD touched_at BIGINT NOT NULL CONSTRAINT blobs_touched_at DEFAULT 0;
