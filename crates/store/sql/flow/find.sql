-- The flow of that name. Index: flows (project_id, name).
SELECT id FROM flows WHERE project_id = :project AND name = :name
