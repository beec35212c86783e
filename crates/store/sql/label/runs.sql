-- A page of a project's runs with a label, newest first. Index: run_labels primary key.
SELECT run_id FROM run_labels
WHERE project_id = :project AND name = :name AND value = :value AND run_id < :before
ORDER BY run_id DESC {{limit :limit}}
