-- Threads of a backup. Index: threads primary key.
INSERT INTO threads (id, project_id, title, metadata, last_seq, retain_ms, version, created_at, updated_at)
{{rows id:uuid, project_id:uuid, title:text, metadata:text, last_seq:int, retain_ms:int, version:int, created_at:int, updated_at:int}}
