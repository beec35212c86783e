-- Deletes a project's flows, and their versions by cascade. Index: flows (project_id, name).
DELETE FROM flows WHERE project_id = :project
