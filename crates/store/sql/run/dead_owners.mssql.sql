-- Override: a recursive query takes neither ORDER BY nor a limit in T-SQL, so it cannot jump from owner to owner.
-- Owners of unfinished runs that are not alive, but for the server that asks. Index: runs_owner, servers primary key.
SELECT DISTINCT r.owner_id AS id FROM runs r
WHERE r.finished_at IS NULL AND r.owner_id IS NOT NULL AND r.owner_id <> :server AND NOT EXISTS (
  SELECT 1 FROM servers s WHERE s.id = r.owner_id AND s.heartbeat_at >= :expired_before)
