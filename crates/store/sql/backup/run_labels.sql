-- The labels of runs. Index: run_labels_run.
SELECT project_id, name, value, run_id FROM run_labels
WHERE run_id {{in :ids:uuid}}
ORDER BY run_id, name, value
