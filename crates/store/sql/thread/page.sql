-- A page of a project's threads, newest first. Index: threads_project.
SELECT id, project_id, title, metadata, last_seq, retain_ms, version, created_at, updated_at
FROM threads WHERE project_id = :project AND id < :before
ORDER BY id DESC {{limit :limit}}
