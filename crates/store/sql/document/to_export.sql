-- The documents of an export, oldest first, with the texts of their newest versions. Index: documents_project.
SELECT d.project_id, v.document_id, v.version, v.type, v.language, v.title, v.author, v.note,
       v.restored_from, v.created_at, v.hash, v.bytes, v.overall, v.required, v.quality, v.body
FROM documents d JOIN document_versions v ON v.document_id = d.id AND v.version = d.version
WHERE d.project_id = :project AND d.id > :after AND d.deleted_at IS NULL
  AND (:type = '' OR d.type = :type) AND (:language = '' OR d.language = :language)
ORDER BY d.id {{limit :limit}}
