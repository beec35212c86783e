-- Forgets one key of a certain age. Index: idempotency primary key.
DELETE FROM idempotency WHERE project_id = :project AND idem_key = :key AND created_at < :before
