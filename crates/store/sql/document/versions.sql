-- A document's versions without their texts, either way. Index: document_versions primary key.
SELECT d.project_id, v.document_id, v.version, v.type, v.language, v.title, v.author, v.note,
       v.restored_from, v.created_at, v.hash, v.bytes, v.overall, v.required, v.quality
FROM documents d JOIN document_versions v ON v.document_id = d.id
WHERE d.id = :id AND d.project_id = :project AND {{beyond v.version :edge}}
ORDER BY v.version {{along}} {{limit :limit}}
