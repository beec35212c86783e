-- How many of a thread's messages have a phrase, and how many were looked at: not more than a
-- number, from the first on. Index: messages primary key.
SELECT COUNT(*) AS looked, COUNT(t.fits) AS found
FROM (
  SELECT CASE WHEN m.search_text LIKE :pattern ESCAPE '!' THEN 1 END AS fits
  FROM messages m WHERE m.thread_id = :thread AND m.project_id = :project
  ORDER BY m.seq {{limit :limit}}
) t
