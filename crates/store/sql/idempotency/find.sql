-- What a key was used for. Index: idempotency primary key.
SELECT request_hash, run_id, created_at FROM idempotency WHERE project_id = :project AND idem_key = :key
