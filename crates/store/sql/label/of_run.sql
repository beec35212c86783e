-- The labels of a project's run. Index: run_labels_run.
SELECT name, value FROM run_labels WHERE run_id = :run AND project_id = :project ORDER BY name
