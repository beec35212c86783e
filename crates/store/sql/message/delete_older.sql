-- Removes a thread's messages older than a time. Index: messages_age.
DELETE FROM messages WHERE thread_id = :thread AND created_at < :before
