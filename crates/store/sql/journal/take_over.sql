-- Appends the `taken_over` row to those of the runs that do not end in a row of their new epoch.
-- A row of the old owner that comes in between makes one insert do nothing: run it again.
-- Index: journal primary key.
INSERT INTO journal (run_id, seq, epoch, kind, node, visit, item, attempt, started_at, duration_us, body)
SELECT r.id, COALESCE((SELECT MAX(j.seq) FROM journal j WHERE j.run_id = r.id), 0) + 1, r.epoch,
       :kind, NULL, 0, NULL, 0, :now, 0, :body
FROM runs r
WHERE r.id {{in :ids:uuid}} AND NOT EXISTS (
  SELECT 1 FROM journal j
  WHERE j.run_id = r.id AND j.epoch = r.epoch
    AND j.seq = (SELECT MAX(l.seq) FROM journal l WHERE l.run_id = r.id))
{{insert_or_nothing run_id, seq}}
