-- One document without its text. Index: documents primary key.
SELECT id, project_id, type, language, title, version, overall, words, bytes, created_at,
       updated_at, deleted_at
FROM documents WHERE id = :id AND project_id = :project
