-- Override: an UPDATE that changes nothing locks on every server that speaks T-SQL; hints alone do not, so the condition stands outside too.
-- One unfinished run, locked, unless another living server owns it. Index: the primary keys of runs and servers.
UPDATE runs WITH (ROWLOCK, READPAST)
SET epoch = epoch
OUTPUT inserted.id, inserted.epoch, inserted.owner_id
WHERE id = :id AND finished_at IS NULL AND (
  owner_id IS NULL OR owner_id = :server OR NOT EXISTS (
    SELECT 1 FROM servers s WHERE s.id = runs.owner_id AND s.heartbeat_at >= :expired_before))
