-- Labels of a run. Index: run_labels primary key.
INSERT INTO run_labels (project_id, name, value, run_id)
{{rows project:uuid, name:text, value:text, run:uuid}}
{{insert_or_nothing project_id, name, value, run_id}}
