-- A page of all keys, either way. Index: api_keys primary key.
SELECT id, project_id, role, name, secret_hash, old_hash, old_until, created_at, expires_at, revoked_at
FROM api_keys WHERE {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
