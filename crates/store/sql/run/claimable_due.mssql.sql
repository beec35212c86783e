-- Override: an UPDATE that changes nothing locks on every server that speaks T-SQL; hints alone do not, so the condition stands outside too.
-- Runs whose time has come, the longest due first, locked. Index: runs_owner.
UPDATE runs WITH (ROWLOCK, READPAST)
SET epoch = epoch
OUTPUT inserted.id, inserted.epoch
WHERE wake_at <= :now AND finished_at IS NULL AND owner_id IS NULL AND id IN (
  SELECT r.id FROM runs r WITH (ROWLOCK, READPAST, UPDLOCK)
  WHERE r.wake_at <= :now AND r.finished_at IS NULL AND r.owner_id IS NULL
  ORDER BY r.wake_at, r.id {{limit :limit}})
