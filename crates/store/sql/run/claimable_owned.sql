-- Unfinished runs of one (dead) owner, oldest first, locked. Who has an owner waits for no time. Index: runs_owned.
SELECT id, epoch FROM runs
WHERE finished_at IS NULL AND owner_id = :owner AND wake_at IS NULL
ORDER BY id {{limit :limit}} {{skip_locked}}
