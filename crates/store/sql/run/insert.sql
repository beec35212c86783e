-- New runs, many at once. Index: runs primary key, the foreign keys' primary keys.
INSERT INTO runs (id, project_id, flow_version_id, status, owner_id, epoch, steps, created_at, deadline, input)
{{rows id:uuid, project:uuid, flow_version:uuid, status:text, owner:uuid, epoch:int, steps:int, created_at:int, deadline:int, input:text}}
