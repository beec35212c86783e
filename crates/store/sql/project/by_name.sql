-- The project of that name. Index: projects (name).
SELECT id, name, description, version, settings, quotas, created_at, updated_at, deleted_at
FROM projects WHERE name = :name
