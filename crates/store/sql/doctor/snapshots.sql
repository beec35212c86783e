-- A page of snapshots. Index: snapshots primary key.
SELECT run_id, seq, size, body FROM snapshots WHERE run_id > :run ORDER BY run_id {{limit :limit}}
