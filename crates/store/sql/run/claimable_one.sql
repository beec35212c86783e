-- One unfinished run, locked, unless another living server owns it. Index: the primary keys of runs and servers.
SELECT id, epoch, owner_id FROM runs
WHERE id = :id AND finished_at IS NULL AND (
  owner_id IS NULL OR owner_id = :server OR NOT EXISTS (
    SELECT 1 FROM servers s WHERE s.id = runs.owner_id AND s.heartbeat_at >= :expired_before))
{{skip_locked}}
