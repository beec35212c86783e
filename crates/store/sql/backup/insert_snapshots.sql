-- Snapshots of a backup. Index: snapshots primary key, runs primary key.
INSERT INTO snapshots (run_id, seq, size, body)
{{rows run_id:uuid, seq:int, size:int, body:bytes}}
