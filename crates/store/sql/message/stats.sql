-- What a thread holds, by role. Index: messages primary key.
SELECT m.role, COUNT(*) AS messages, SUM(m.bytes) AS bytes, MIN(m.seq) AS first_seq,
       MIN(m.created_at) AS first_at, MAX(m.created_at) AS last_at
FROM messages m
WHERE m.thread_id = :thread AND m.project_id = :project
GROUP BY m.role ORDER BY m.role
