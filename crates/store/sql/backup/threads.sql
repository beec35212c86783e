-- A page of threads. Index: threads primary key.
SELECT id, project_id, title, metadata, last_seq, retain_ms, version, created_at, updated_at
FROM threads
WHERE id > :id
ORDER BY id {{limit :limit}}
