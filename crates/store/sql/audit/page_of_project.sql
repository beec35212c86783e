-- A page of a project's audit log, newest first. Index: audit_project.
SELECT id, at, project_id, actor, action, target, status, trace_id, address
FROM audit WHERE project_id = :project AND id < :before
ORDER BY id DESC {{limit :limit}}
