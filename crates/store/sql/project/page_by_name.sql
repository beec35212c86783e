-- A page of all projects by name, either way, deleted or not. Index: projects (name).
SELECT id, name, version, updated_at
FROM projects
WHERE {{beyond name :edge}} AND CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
ORDER BY name {{along}} {{limit :limit}}
