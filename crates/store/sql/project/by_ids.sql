-- Projects by their ids, deleted or not: of many requests at once. Index: projects primary key.
SELECT id, name, description, version, settings, quotas, created_at, updated_at, deleted_at
FROM projects WHERE id {{in :ids:uuid}}
