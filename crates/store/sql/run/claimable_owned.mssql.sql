-- Override: an UPDATE that changes nothing locks on every server that speaks T-SQL; hints alone do not, so the condition stands outside too.
-- Unfinished runs of one (dead) owner, oldest first, locked. Index: runs_owner.
UPDATE runs WITH (ROWLOCK, READPAST)
SET epoch = epoch
OUTPUT inserted.id, inserted.epoch
WHERE finished_at IS NULL AND owner_id = :owner AND wake_at IS NULL AND id IN (
  SELECT r.id FROM runs r WITH (ROWLOCK, READPAST, UPDLOCK)
  WHERE r.finished_at IS NULL AND r.owner_id = :owner AND r.wake_at IS NULL
  ORDER BY r.id {{limit :limit}})
