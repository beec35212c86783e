-- A portion of a thread's messages, either way. Index: messages primary key.
SELECT m.thread_id, m.seq, m.id, m.role, m.name, m.run_id, m.created_at, m.bytes, m.content, m.metadata
FROM messages m
WHERE m.thread_id = :thread AND m.project_id = :project AND {{beyond m.seq :edge}}
  AND {{upto m.seq :to}}
ORDER BY m.seq {{along}} {{limit :limit}}
