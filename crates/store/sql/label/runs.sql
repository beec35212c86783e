-- A page of a project's runs with a label, newest first. A label without its run would make the
-- page look like the last one. Index: run_labels primary key, runs primary key.
SELECT l.run_id FROM run_labels l JOIN runs r ON r.id = l.run_id
WHERE l.project_id = :project AND l.name = :name AND l.value = :value AND l.run_id < :before
ORDER BY l.run_id DESC {{limit :limit}}
