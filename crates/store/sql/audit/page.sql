-- A page of the audit log, newest first. Index: audit primary key.
SELECT id, at, project_id, actor, action, target, status, trace_id, address
FROM audit WHERE id < :before
ORDER BY id DESC {{limit :limit}}
