-- A page of threads: the number that each says it has reached, and what its messages say.
-- Index: primary keys of threads and messages.
SELECT t.id, t.last_seq, t.retain_ms, COUNT(m.seq) AS messages_found, MIN(m.seq) AS first_seq,
       MAX(m.seq) AS newest, COUNT(CASE WHEN m.project_id <> t.project_id THEN 1 END) AS strangers
FROM (SELECT id, project_id, last_seq, retain_ms FROM threads
      WHERE id > :after ORDER BY id {{limit :limit}}) t
LEFT JOIN messages m ON m.thread_id = t.id
GROUP BY t.id, t.last_seq, t.retain_ms
ORDER BY t.id
