-- Unfinished runs of one (dead) owner, oldest first, locked. Index: runs_owned.
SELECT id, epoch FROM runs
WHERE finished_at IS NULL AND owner_id = :owner
ORDER BY id {{limit :limit}} {{skip_locked}}
