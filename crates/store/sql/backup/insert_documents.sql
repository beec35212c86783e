-- Documents of a backup. Index: documents primary key.
INSERT INTO documents (id, project_id, type, language, title, version, overall, words, bytes, created_at, updated_at, deleted_at, search_text)
{{rows id:uuid, project_id:uuid, type:text, language:text, title:text, version:int, overall:int, words:int, bytes:int, created_at:int, updated_at:int, deleted_at:int, search_text:text}}
