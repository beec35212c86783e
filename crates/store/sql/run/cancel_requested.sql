-- A server's runs that somebody wants cancelled. Index: runs_cancel_requested.
SELECT id FROM runs
WHERE owner_id = :server AND cancel_requested_at IS NOT NULL AND finished_at IS NULL
ORDER BY id
