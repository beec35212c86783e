-- A project's runs counted by status. Index: runs_project_status.
SELECT status, COUNT(*) AS found FROM runs WHERE project_id = :project GROUP BY status
