-- A page of a project's runs, either way. Index: runs_project.
SELECT id FROM runs
WHERE project_id = :project AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
