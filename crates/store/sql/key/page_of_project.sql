-- A page of a project's keys, oldest first. Index: api_keys_project.
SELECT id, project_id, role, name, secret_hash, old_hash, old_until, created_at, expires_at, revoked_at
FROM api_keys WHERE project_id = :project AND id > :after
ORDER BY id {{limit :limit}}
