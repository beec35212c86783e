-- Override: ON DUPLICATE KEY UPDATE has no WHERE; each assignment asks, and `seq` comes last because later ones see it changed.
-- The newest snapshot of many runs; an older one is replaced. Index: snapshots primary key.
INSERT INTO snapshots (run_id, seq, size, body)
{{rows run_id:uuid, seq:int, size:int, body:bytes}}
ON DUPLICATE KEY UPDATE
  size = IF(VALUES(seq) > snapshots.seq, VALUES(size), snapshots.size),
  body = IF(VALUES(seq) > snapshots.seq, VALUES(body), snapshots.body),
  seq = GREATEST(VALUES(seq), snapshots.seq)
