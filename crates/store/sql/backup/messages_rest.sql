-- More messages of one thread_id. Index: messages primary key.
SELECT thread_id, seq, id, project_id, role, name, run_id, created_at, bytes, content,
       metadata, search_text
FROM messages
WHERE thread_id = :id AND seq > :after
ORDER BY seq {{limit :limit}}
