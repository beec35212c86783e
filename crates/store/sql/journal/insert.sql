-- New rows of many runs. A row that is there fails all of them: that is the fence.
-- Index: journal primary key.
INSERT INTO journal (run_id, seq, epoch, kind, node, visit, item, attempt, started_at, duration_us, body)
{{rows run_id:uuid, seq:int, epoch:int, kind:int, node:text, visit:int, item:int, attempt:int, started_at:int, duration_us:int, body:text}}
