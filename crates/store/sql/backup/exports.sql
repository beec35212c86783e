-- A page of exports. Index: exports primary key.
SELECT id, project_id, status, attempt, claimed_at, created_at, finished_at, expires_at,
       documents, chunks, bytes, sha256, download_count, selection, error
FROM exports
WHERE id > :id
ORDER BY id {{limit :limit}}
