-- More idempotency of one project_id. Index: idempotency primary key.
SELECT project_id, idem_key, request_hash, run_id, created_at
FROM idempotency
WHERE project_id = :id AND idem_key > :after
ORDER BY idem_key {{limit :limit}}
