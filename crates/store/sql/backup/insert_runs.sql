-- Runs of a backup; nobody owns them. Index: runs primary key, the foreign keys' primary keys.
INSERT INTO runs (id, project_id, flow_version_id, status, epoch, steps, created_at, finished_at, deadline, wake_at, cancel_requested_at, input, output, error)
{{rows id:uuid, project_id:uuid, flow_version_id:uuid, status:text, epoch:int, steps:int, created_at:int, finished_at:int, deadline:int, wake_at:int, cancel_requested_at:int, input:text, output:text, error:text}}
