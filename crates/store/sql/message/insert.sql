-- New messages of a thread, in their order. Index: messages primary key.
INSERT INTO messages (thread_id, seq, id, project_id, role, name, run_id, created_at, bytes, content, metadata, search_text)
{{rows thread:uuid, seq:int, id:uuid, project:uuid, role:text, name:text, run:uuid, created_at:int, bytes:int, content:text, metadata:text, search_text:text}}
