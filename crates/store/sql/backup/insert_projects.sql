-- Projects of a backup. Index: projects primary key.
INSERT INTO projects (id, name, created_at)
{{rows id:uuid, name:text, created_at:int}}
