-- A page of documents. Index: documents primary key.
SELECT id, project_id, type, language, title, version, overall, words, bytes, created_at,
       updated_at, deleted_at, search_text
FROM documents
WHERE id > :id
ORDER BY id {{limit :limit}}
