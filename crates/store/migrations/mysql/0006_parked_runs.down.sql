-- Runs without an owner are in one index again, those that wait for a time among them.
DROP INDEX runs_owner ON runs;
CREATE INDEX runs_owner ON runs (owner_id, finished_at, id);
