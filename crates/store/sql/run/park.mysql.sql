-- Override: one statement for all runs of a flush; a round trip for each would cost more than the rest of the flush.
-- Index: runs primary key.
UPDATE runs r
JOIN ({{rows status:text, output:text, error:text, steps:int, wake_at:int, id:uuid, epoch:int}}) n
  ON r.id = n.id AND r.epoch = n.epoch AND r.finished_at IS NULL
SET r.status = n.status, r.output = n.output, r.error = n.error, r.steps = n.steps,
    r.owner_id = NULL,
    r.wake_at = CASE WHEN r.cancel_requested_at < n.wake_at THEN r.cancel_requested_at ELSE n.wake_at END
