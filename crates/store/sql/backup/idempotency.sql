-- A page of idempotency, which may end in the middle of those of one project_id. Index: idempotency primary key.
SELECT project_id, idem_key, request_hash, run_id, created_at
FROM idempotency
WHERE project_id > :id
ORDER BY project_id, idem_key {{limit :limit}}
