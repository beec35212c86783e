-- Run labels of a backup. Index: run_labels primary key.
INSERT INTO run_labels (project_id, name, value, run_id)
{{rows project_id:uuid, name:text, value:text, run_id:uuid}}
