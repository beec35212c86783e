-- One message by its id. Index: messages_id.
SELECT m.thread_id, m.seq, m.id, m.role, m.name, m.run_id, m.created_at, m.bytes, m.content, m.metadata
FROM messages m
WHERE m.id = :id AND m.thread_id = :thread AND m.project_id = :project
