-- A page of api keys. Index: api_keys primary key.
SELECT id, project_id, role, name, secret_hash, old_hash, old_until, created_at, expires_at,
       revoked_at
FROM api_keys
WHERE id > :id
ORDER BY id {{limit :limit}}
