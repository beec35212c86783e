-- More document versions of one document_id. Index: document_versions primary key.
SELECT document_id, version, type, language, title, author, note, restored_from, created_at,
       hash, bytes, overall, required, quality, body
FROM document_versions
WHERE document_id = :id AND version > :after
ORDER BY version {{limit :limit}}
