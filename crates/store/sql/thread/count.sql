-- How many threads a project has. Index: threads_project.
SELECT COUNT(*) AS found FROM threads WHERE project_id = :project
