-- A page of a project's threads, either way. Index: threads_project.
SELECT id, project_id, title, metadata, last_seq, retain_ms, version, created_at, updated_at
FROM threads WHERE project_id = :project AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
