-- Removes a portion of a thread's messages older than a time. Index: messages primary key.
DELETE FROM messages WHERE thread_id = :thread AND seq <= :upto AND created_at < :before
