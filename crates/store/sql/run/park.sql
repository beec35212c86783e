-- An unfinished run leaves its owner, if that is still the one, and waits for a time; one that is to
-- be cancelled is due at once. Index: runs primary key.
UPDATE runs
SET status = :status, output = :output, error = :error, steps = :steps, owner_id = NULL,
    wake_at = CASE WHEN cancel_requested_at < :wake_at THEN cancel_requested_at ELSE :wake_at END
WHERE id = :id AND epoch = :epoch AND finished_at IS NULL
