-- The labels of some of a project's runs. Index: run_labels_run.
SELECT run_id, value FROM run_labels WHERE run_id {{in :ids:uuid}} AND project_id = :project
