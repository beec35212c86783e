-- Runs without an owner are in one index again, those that wait for a time among them.
DROP INDEX runs_parked;
DROP INDEX runs_unowned;
CREATE INDEX runs_unowned ON runs (id) WHERE finished_at IS NULL AND owner_id IS NULL;
