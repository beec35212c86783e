-- A page of a project's runs in one status, newest first. Index: runs_project_status.
SELECT id FROM runs
WHERE project_id = :project AND status = :status AND id < :before
ORDER BY id DESC {{limit :limit}}
