-- A new key. Index: api_keys primary key, projects primary key.
INSERT INTO api_keys (id, project_id, role, name, secret_hash, created_at, expires_at)
VALUES (:id, :project, :role, :name, :hash, :now, :expires_at)
