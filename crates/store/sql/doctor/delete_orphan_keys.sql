-- Deletes the keys of a project that does not exist. Index: api_keys_project, projects primary key.
DELETE FROM api_keys
WHERE project_id = :id AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = :id)
