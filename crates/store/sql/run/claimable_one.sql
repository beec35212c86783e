-- One unfinished run without a living owner, locked. Index: runs primary key, servers primary key.
SELECT id, epoch, owner_id FROM runs
WHERE id = :id AND finished_at IS NULL AND (owner_id IS NULL OR NOT EXISTS (
  SELECT 1 FROM servers s WHERE s.id = runs.owner_id AND s.heartbeat_at >= :expired_before))
{{skip_locked}}
