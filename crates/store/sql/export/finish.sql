-- An archive is complete or cannot be made, if the builder is still the one. Index: exports primary key.
UPDATE exports SET status = :status, finished_at = :now, expires_at = :expires_at, sha256 = :sha256, error = :error
WHERE id = :id AND attempt = :attempt AND status = 'running'
