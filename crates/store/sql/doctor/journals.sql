-- A page of journals, counted. Kinds up to 3 are steps that are over. Index: journal primary key.
SELECT run_id, COUNT(*) AS rows_found, MAX(seq) AS last_seq,
       COUNT(CASE WHEN kind <= 3 THEN 1 END) AS steps_found
FROM journal
WHERE run_id > :after
GROUP BY run_id
ORDER BY run_id {{limit :limit}}
