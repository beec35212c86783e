-- An export that waits to be built. Index: exports primary key, projects primary key.
INSERT INTO exports (id, project_id, status, attempt, created_at, documents, chunks, bytes, download_count, selection)
VALUES (:id, :project, 'pending', 0, :now, 0, 0, 0, 0, :selection)
