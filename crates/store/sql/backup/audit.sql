-- A page of audit. Index: audit primary key.
SELECT id, at, project_id, actor, action, target, status, trace_id, address
FROM audit
WHERE id > :id
ORDER BY id {{limit :limit}}
