-- The newest snapshot of many runs; an older one is replaced. Index: snapshots primary key.
INSERT INTO snapshots (run_id, seq, size, body)
{{rows run_id:uuid, seq:int, size:int, body:bytes}}
{{upsert run_id: seq, size, body}}
WHERE excluded.seq > snapshots.seq
