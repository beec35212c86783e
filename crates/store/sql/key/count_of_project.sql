-- How many keys a project has. Index: api_keys_project.
SELECT COUNT(*) AS found FROM api_keys WHERE project_id = :project
