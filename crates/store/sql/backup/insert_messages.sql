-- Messages of a backup. Index: messages primary key.
INSERT INTO messages (thread_id, seq, id, project_id, role, name, run_id, created_at, bytes, content, metadata, search_text)
{{rows thread_id:uuid, seq:int, id:uuid, project_id:uuid, role:text, name:text, run_id:uuid, created_at:int, bytes:int, content:text, metadata:text, search_text:text}}
