-- A key that can be used now. A scan of api_keys, which is small.
SELECT id FROM api_keys
WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
ORDER BY id {{limit 1}}
