-- Override: neither MySQL nor MariaDB jumps in an index by a value of the row before; both jump from owner to owner for DISTINCT.
-- Owners of unfinished runs that are not alive, but for the server that asks. Only unfinished runs have an owner.
-- Index: runs_owner, servers primary key.
SELECT o.owner_id AS id
FROM (SELECT DISTINCT owner_id FROM runs WHERE owner_id IS NOT NULL) o
WHERE o.owner_id <> :server AND NOT EXISTS (
  SELECT 1 FROM servers s WHERE s.id = o.owner_id AND s.heartbeat_at >= :expired_before)
