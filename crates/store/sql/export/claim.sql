-- Takes an export to build it, if nobody was faster. Index: exports primary key.
UPDATE exports
SET status = 'running', attempt = attempt + 1, claimed_at = :now, documents = 0, chunks = 0, bytes = 0
WHERE id = :id AND attempt = :attempt AND status IN ('pending', 'running')
