-- Gives a key another secret; the one it had is taken until `old_until`. Index: api_keys primary key.
UPDATE api_keys SET old_hash = :old_hash, old_until = :old_until, secret_hash = :hash
WHERE id = :id AND revoked_at IS NULL AND secret_hash = :old_hash
