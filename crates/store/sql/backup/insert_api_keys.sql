-- Api keys of a backup. Index: api_keys primary key.
INSERT INTO api_keys (id, project_id, role, name, secret_hash, old_hash, old_until, created_at, expires_at, revoked_at)
{{rows id:uuid, project_id:uuid, role:text, name:text, secret_hash:bytes, old_hash:bytes, old_until:int, created_at:int, expires_at:int, revoked_at:int}}
