-- Idempotency of a backup. Index: idempotency primary key.
INSERT INTO idempotency (project_id, idem_key, request_hash, run_id, created_at)
{{rows project_id:uuid, idem_key:text, request_hash:bytes, run_id:uuid, created_at:int}}
