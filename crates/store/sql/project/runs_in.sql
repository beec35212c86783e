-- How many runs of a project are in one of these states. Index: runs_project_status.
SELECT COUNT(*) AS found FROM runs WHERE project_id = :project AND status {{in :statuses:text}}
