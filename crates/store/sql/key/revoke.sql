-- Refuses a key from now on; the first revocation's time is kept. Index: api_keys primary key.
UPDATE api_keys SET revoked_at = COALESCE(revoked_at, :now), old_hash = NULL, old_until = NULL
WHERE id = :id
