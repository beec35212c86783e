-- The oldest export that nobody builds, or whose builder was not heard of lately. Index: exports_status.
SELECT id, project_id, status, attempt, created_at, finished_at, expires_at, documents, chunks, bytes, sha256,
       download_count, selection, error
FROM exports
WHERE status IN ('pending', 'running') AND (claimed_at IS NULL OR claimed_at < :heard_before)
ORDER BY id {{limit 1}}
