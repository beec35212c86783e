-- How many versions a document has. Index: document_versions primary key.
SELECT COUNT(*) AS found FROM documents d JOIN document_versions v ON v.document_id = d.id
WHERE d.id = :id AND d.project_id = :project
