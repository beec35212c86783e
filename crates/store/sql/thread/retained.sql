-- Threads that have messages older than they keep them. Index: threads primary key, messages_age.
SELECT t.id, t.retain_ms FROM threads t
WHERE t.id > :after AND t.retain_ms IS NOT NULL AND EXISTS (
  SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.created_at < :now - t.retain_ms * 1000)
ORDER BY t.id {{limit :limit}}
