-- The numbers of a thread's oldest messages before a time. Index: messages primary key.
SELECT seq FROM messages WHERE thread_id = :thread AND created_at < :before
ORDER BY seq {{limit :limit}}
