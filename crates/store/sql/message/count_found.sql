-- How many of a portion of a thread's messages have a phrase, either way.
-- Index: messages primary key.
SELECT COUNT(*) AS found FROM messages m
WHERE m.thread_id = :thread AND m.project_id = :project AND {{beyond m.seq :edge}}
  AND {{upto m.seq :to}} AND m.search_text LIKE :pattern ESCAPE '!'
