-- How many exports a project has. Index: exports_project.
SELECT COUNT(*) AS total FROM exports WHERE project_id = :project
