-- Notes that somebody wants an unfinished run cancelled; the first request's time is kept. One that
-- waits for a time is due at once.
-- Index: runs primary key.
UPDATE runs SET cancel_requested_at = COALESCE(cancel_requested_at, :now),
    wake_at = CASE WHEN wake_at > :now THEN :now ELSE wake_at END
WHERE id = :id AND finished_at IS NULL
