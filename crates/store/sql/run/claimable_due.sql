-- Runs whose time has come, the longest due first, locked. Index: runs_parked.
SELECT id, epoch FROM runs
WHERE wake_at <= :now AND finished_at IS NULL AND owner_id IS NULL
ORDER BY wake_at, id {{limit :limit}} {{skip_locked}}
