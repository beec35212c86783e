-- The end of a run, if its owner is still the one; it has no owner then. Index: runs primary key.
UPDATE runs
SET status = :status, finished_at = :finished_at, output = :output, error = :error,
    steps = :steps, wake_at = :wake_at, owner_id = NULL
WHERE id = :id AND epoch = :epoch
