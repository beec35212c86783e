-- A server's unfinished runs, oldest first. Who has an owner waits for no time. Index: runs_owned.
SELECT id FROM runs
WHERE finished_at IS NULL AND owner_id = :server AND id > :beyond AND wake_at IS NULL
ORDER BY id {{limit :limit}}
