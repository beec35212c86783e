-- Forgets keys of a certain age. Index: idempotency_age.
DELETE FROM idempotency WHERE created_at < :before
