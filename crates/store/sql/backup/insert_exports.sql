-- Exports of a backup. Index: exports primary key.
INSERT INTO exports (id, project_id, status, attempt, claimed_at, created_at, finished_at, expires_at, documents, chunks, bytes, sha256, download_count, selection, error)
{{rows id:uuid, project_id:uuid, status:text, attempt:int, claimed_at:int, created_at:int, finished_at:int, expires_at:int, documents:int, chunks:int, bytes:int, sha256:text, download_count:int, selection:text, error:text}}
