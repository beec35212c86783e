-- A new project. Index: projects primary key, projects (name).
INSERT INTO projects (id, name, created_at, updated_at, version, description, settings, quotas)
VALUES (:id, :name, :now, :now, 1, :description, :settings, :quotas)
