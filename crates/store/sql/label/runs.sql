-- A page of a project's runs with a label, either way. A label without its run would make the
-- page look like the last one. Index: run_labels primary key, runs primary key.
SELECT l.run_id FROM run_labels l JOIN runs r ON r.id = l.run_id
WHERE l.project_id = :project AND l.name = :name AND l.value = :value AND {{beyond l.run_id :edge}}
ORDER BY l.run_id {{along}} {{limit :limit}}
