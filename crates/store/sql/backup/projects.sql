-- A page of the projects. Index: projects primary key.
SELECT id, name, created_at, version, updated_at, deleted_at, description, settings, quotas
FROM projects
WHERE id > :id
ORDER BY id {{limit :limit}}
