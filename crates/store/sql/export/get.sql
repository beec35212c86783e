-- One export. Index: exports primary key.
SELECT id, project_id, status, attempt, created_at, finished_at, expires_at, documents, chunks, bytes, sha256,
       download_count, selection, error
FROM exports WHERE id = :id AND project_id = :project
