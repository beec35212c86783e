-- Audit of a backup. Index: audit primary key.
INSERT INTO audit (id, at, project_id, actor, action, target, status, trace_id, address)
{{rows id:uuid, at:int, project_id:uuid, actor:text, action:text, target:text, status:int, trace_id:text, address:text}}
