-- The snapshots of runs. Index: snapshots primary key.
SELECT run_id, seq, size, body FROM snapshots WHERE run_id {{in :ids:uuid}}
