-- Export chunks of a backup. Index: export_chunks primary key.
INSERT INTO export_chunks (export_id, seq, body)
{{rows export_id:uuid, seq:int, body:bytes}}
