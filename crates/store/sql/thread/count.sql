-- How many threads a project has. Index: threads_project.
SELECT COUNT(*) AS total FROM threads WHERE project_id = :project
