-- A page of the keys for the whole server, either way. Index: api_keys_project.
SELECT id, project_id, role, name, secret_hash, old_hash, old_until, created_at, expires_at, revoked_at
FROM api_keys WHERE project_id IS NULL AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
