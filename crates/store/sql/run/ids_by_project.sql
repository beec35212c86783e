-- A page of a project's runs, newest first. Index: runs_project.
SELECT id FROM runs
WHERE project_id = :project AND id < :before
ORDER BY id DESC {{limit :limit}}
