-- Override: one statement for all runs of a flush; a plan for each would cost more than the rest of the flush.
-- Index: runs primary key.
UPDATE r
SET status = n.status, output = n.output, error = n.error, steps = n.steps, owner_id = NULL,
    wake_at = CASE WHEN r.cancel_requested_at < n.wake_at THEN r.cancel_requested_at ELSE n.wake_at END
FROM runs AS r
INNER JOIN ({{rows status:text, output:text, error:text, steps:int, wake_at:int, id:uuid, epoch:int}})
  AS n (status, output, error, steps, wake_at, id, epoch)
  ON r.id = n.id AND r.epoch = n.epoch AND r.finished_at IS NULL
