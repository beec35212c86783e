-- An ended run that did not complete is open again, for anybody to take. Index: runs primary key.
UPDATE runs
SET status = 'pending', epoch = epoch + 1, finished_at = NULL, output = NULL, error = NULL,
    wake_at = NULL, cancel_requested_at = NULL, deadline = :deadline
WHERE id = :id AND epoch = :epoch AND status IN ('failed', 'cancelled')
