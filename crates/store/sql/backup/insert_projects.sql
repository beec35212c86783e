-- Projects of a backup. Index: projects primary key.
INSERT INTO projects (id, name, created_at, version, updated_at, deleted_at, description, settings, quotas)
{{rows id:uuid, name:text, created_at:int, version:int, updated_at:int, deleted_at:int, description:text, settings:text, quotas:text}}
