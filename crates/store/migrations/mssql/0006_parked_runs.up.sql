-- Runs that wait for a time have no owner and a time at which they are due: they are found by that
-- time, and whoever looks for runs that nobody has passes over them. One index serves both.
DROP INDEX runs_owner ON runs;
CREATE INDEX runs_owner ON runs (owner_id, finished_at, wake_at, id);
