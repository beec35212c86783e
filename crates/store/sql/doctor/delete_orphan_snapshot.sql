-- Deletes the snapshot of a run that does not exist. Index: primary keys of snapshots and runs.
DELETE FROM snapshots
WHERE run_id = :run AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = :run)
