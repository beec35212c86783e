-- The newest entries of runs. Index: journal primary key.
SELECT run_id, MAX(seq) AS seq FROM journal WHERE run_id {{in :ids:uuid}} GROUP BY run_id
