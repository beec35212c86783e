-- The rows after the newest snapshot of each run. Index: primary keys of journal and snapshots.
SELECT j.run_id, j.seq, j.epoch, j.kind, j.node, j.visit, j.item, j.attempt, j.started_at,
       j.duration_us, j.body
FROM runs r
LEFT JOIN snapshots s ON s.run_id = r.id
JOIN journal j ON j.run_id = r.id AND j.seq > COALESCE(s.seq, 0)
WHERE r.id {{in :ids:uuid}}
ORDER BY j.run_id, j.seq
