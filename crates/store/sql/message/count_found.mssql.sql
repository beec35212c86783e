-- Override: what speaks its protocol reads escapes in LIKE in another way; CHARINDEX knows no patterns.
-- How many of a thread's messages have a phrase, and how many were looked at: not more than a
-- number, from the first on. Index: messages primary key.
SELECT COUNT(*) AS looked, COUNT(t.fits) AS found
FROM (
  SELECT CASE WHEN CHARINDEX(:pattern, m.search_text) > 0 THEN 1 END AS fits
  FROM messages m WHERE m.thread_id = :thread AND m.project_id = :project
  ORDER BY m.seq {{limit :limit}}
) t
