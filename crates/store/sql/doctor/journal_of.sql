-- One run's journal, counted. Kinds up to 3 are steps that are over. Index: journal primary key.
SELECT COUNT(*) AS rows_found, COALESCE(MAX(seq), 0) AS last_seq,
       COUNT(CASE WHEN kind <= 3 THEN 1 END) AS steps_found
FROM journal
WHERE run_id = :run
