-- The labels of runs that were just deleted; those that stayed keep theirs. Index: run_labels_run.
DELETE FROM run_labels WHERE run_id {{in :ids:uuid}}
AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = run_labels.run_id)
