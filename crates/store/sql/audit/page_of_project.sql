-- A page of a project's audit log, either way. Index: audit_project.
SELECT id, at, project_id, actor, action, target, status, trace_id, address
FROM audit WHERE project_id = :project AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
