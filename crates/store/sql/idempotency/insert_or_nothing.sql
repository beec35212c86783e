-- Notes a key, unless it was used. Index: idempotency primary key.
INSERT INTO idempotency (project_id, idem_key, request_hash, run_id, created_at)
VALUES (:project, :key, :hash, :run, :now)
{{insert_or_nothing project_id, idem_key}}
