-- Labels of runs that are deleted. Index: run_labels_run.
DELETE FROM run_labels WHERE run_id {{in :ids:uuid}}
