-- Flows of a backup. Index: flows primary key.
INSERT INTO flows (id, project_id, name, created_at)
{{rows id:uuid, project_id:uuid, name:text, created_at:int}}
