-- How many exports a project has. Index: exports_project.
SELECT COUNT(*) AS found FROM exports WHERE project_id = :project
