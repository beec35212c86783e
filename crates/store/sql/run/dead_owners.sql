-- Owners of unfinished runs that are not alive, but for the server that asks. Jumps from owner to owner, so the cost grows with
-- the owners and not with their runs. Index: runs_owned, servers primary key.
WITH RECURSIVE owners (id) AS (
  SELECT (SELECT owner_id FROM runs WHERE finished_at IS NULL AND owner_id IS NOT NULL
          ORDER BY owner_id LIMIT 1)
  UNION ALL
  SELECT (SELECT r.owner_id FROM runs r WHERE r.finished_at IS NULL AND r.owner_id > owners.id
          ORDER BY r.owner_id LIMIT 1)
  FROM owners WHERE owners.id IS NOT NULL
)
SELECT owners.id FROM owners
WHERE owners.id IS NOT NULL AND owners.id <> :server AND NOT EXISTS (
  SELECT 1 FROM servers s WHERE s.id = owners.id AND s.heartbeat_at >= :expired_before)
