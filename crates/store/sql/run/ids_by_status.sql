-- A page of a project's runs in one status, either way. Index: runs_project_status.
SELECT id FROM runs
WHERE project_id = :project AND status = :status AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
