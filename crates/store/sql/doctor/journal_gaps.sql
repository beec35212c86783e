-- Runs whose journal does not go from 1 to its end without a gap. Index: a scan of the journal primary key.
SELECT run_id, COUNT(*) AS rows_found, MAX(seq) AS last_seq
FROM journal
GROUP BY run_id
HAVING COUNT(*) <> MAX(seq)
ORDER BY run_id {{limit :limit}}
