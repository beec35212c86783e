-- A page of a project's exports, either way. Index: exports_project.
SELECT id, project_id, status, attempt, created_at, finished_at, expires_at, documents, chunks, bytes, sha256,
       download_count, selection, error
FROM exports WHERE project_id = :project AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
