-- New projects, many at once. Index: projects primary key, projects (name).
INSERT INTO projects (id, name, created_at, updated_at, version, description, settings, quotas)
{{rows id:uuid, name:text, created_at:int, updated_at:int, version:int, description:text, settings:text, quotas:text}}
