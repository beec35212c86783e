-- Entries, many at once. Index: audit primary key, audit_project.
INSERT INTO audit (id, at, project_id, actor, action, target, status, trace_id, address)
{{rows id:uuid, at:int, project:uuid, actor:text, action:text, target:text, status:int, trace_id:text, address:text}}
{{insert_or_nothing id}}
