-- Members of a backup. Index: members primary key.
INSERT INTO members (project_id, subject, role, created_at)
{{rows project_id:uuid, subject:text, role:text, created_at:int}}
