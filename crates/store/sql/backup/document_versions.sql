-- A page of document versions, which may end in the middle of those of one document_id. Index: document_versions primary key.
SELECT document_id, version, type, language, title, author, note, restored_from, created_at,
       hash, bytes, overall, required, quality, body
FROM document_versions
WHERE document_id > :id
ORDER BY document_id, version {{limit :limit}}
