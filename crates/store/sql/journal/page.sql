-- Some rows of one run, in order. Index: journal primary key.
SELECT run_id, seq, epoch, kind, node, visit, item, attempt, started_at, duration_us, body
FROM journal
WHERE run_id = :run AND seq > :after
ORDER BY seq {{limit :limit}}
