-- Document versions of a backup. Index: document_versions primary key.
INSERT INTO document_versions (document_id, version, type, language, title, author, note, restored_from, created_at, hash, bytes, overall, required, quality, body)
{{rows document_id:uuid, version:int, type:text, language:text, title:text, author:text, note:text, restored_from:int, created_at:int, hash:bytes, bytes:int, overall:int, required:text, quality:text, body:text}}
