-- How many keys for the whole server there are. Index: api_keys_project.
SELECT COUNT(*) AS found FROM api_keys WHERE project_id IS NULL
