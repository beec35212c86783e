-- A portion of a thread's messages and the bytes of their contents, either way.
-- Index: messages primary key.
SELECT m.seq, m.bytes FROM messages m
WHERE m.thread_id = :thread AND m.project_id = :project AND {{beyond m.seq :edge}}
ORDER BY m.seq {{along}} {{limit :limit}}
