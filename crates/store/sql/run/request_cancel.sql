-- Notes that somebody wants an unfinished run cancelled; the first request's time is kept.
-- Index: runs primary key.
UPDATE runs SET cancel_requested_at = COALESCE(cancel_requested_at, :now)
WHERE id = :id AND finished_at IS NULL
