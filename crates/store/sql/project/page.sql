-- A page of the projects that are not deleted, oldest first. Index: projects primary key.
SELECT id, name, description, version, settings, quotas, created_at, updated_at, deleted_at
FROM projects WHERE id > :after AND deleted_at IS NULL
ORDER BY id {{limit :limit}}
