-- Changes a project, if it still has the version that was read. Index: projects primary key.
UPDATE projects
SET name = :name, description = :description, settings = :settings, quotas = :quotas,
    updated_at = :now, version = version + 1
WHERE id = :id AND version = :version AND deleted_at IS NULL
