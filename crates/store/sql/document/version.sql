-- One version with its text. Index: the primary keys of documents and document_versions.
SELECT d.project_id, v.document_id, v.version, v.type, v.language, v.title, v.author, v.note,
       v.restored_from, v.created_at, v.hash, v.bytes, v.overall, v.required, v.quality, v.body
FROM documents d JOIN document_versions v ON v.document_id = d.id
WHERE d.id = :id AND d.project_id = :project AND v.version = :version
