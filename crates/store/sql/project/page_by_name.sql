-- A page of all projects by name, either way, deleted or not. Index: projects (name).
SELECT id, name, description, version, settings, quotas, created_at, updated_at, deleted_at
FROM projects
WHERE {{beyond name :edge}} AND CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
ORDER BY name {{along}} {{limit :limit}}
