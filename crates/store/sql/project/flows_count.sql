-- How many flows a project has. Index: flows (project_id, name).
SELECT COUNT(*) AS found FROM flows WHERE project_id = :project
