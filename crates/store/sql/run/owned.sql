-- A server's unfinished runs, oldest first. Index: runs_owned.
SELECT id FROM runs
WHERE finished_at IS NULL AND owner_id = :server
ORDER BY id {{limit :limit}}
