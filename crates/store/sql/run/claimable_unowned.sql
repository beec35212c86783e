-- Unfinished runs without an owner that wait for no time, oldest first, locked. Index: runs_unowned.
SELECT id, epoch FROM runs
WHERE finished_at IS NULL AND owner_id IS NULL AND wake_at IS NULL
ORDER BY id {{limit :limit}} {{skip_locked}}
