-- A page of the audit log, either way. Index: audit primary key.
SELECT id, at, project_id, actor, action, target, status, trace_id, address
FROM audit WHERE {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
