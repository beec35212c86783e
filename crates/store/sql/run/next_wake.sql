-- When the next of the runs that wait for a time is due. Index: runs_parked.
SELECT wake_at FROM runs
WHERE wake_at IS NOT NULL AND finished_at IS NULL AND owner_id IS NULL
ORDER BY wake_at {{limit :limit}}
