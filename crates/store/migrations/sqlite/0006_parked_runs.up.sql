-- Runs that wait for a time have no owner and a time at which they are due: they are found by that
-- time, and whoever looks for runs that nobody has passes over them.
DROP INDEX runs_unowned;
CREATE INDEX runs_unowned ON runs (id)
  WHERE finished_at IS NULL AND owner_id IS NULL AND wake_at IS NULL;
CREATE INDEX runs_parked ON runs (wake_at, id) WHERE wake_at IS NOT NULL;
