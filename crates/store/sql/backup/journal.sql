-- A page of the journals of a range of runs. Index: journal primary key.
SELECT run_id, seq, epoch, kind, node, visit, item, attempt, started_at, duration_us, body
FROM journal
WHERE run_id >= :run AND run_id <= :run_id
ORDER BY run_id, seq {{limit :limit}}
