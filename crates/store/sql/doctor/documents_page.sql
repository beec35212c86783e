-- A page of documents: the version that each says it has, how many there are, the newest.
-- Index: primary keys of documents and document_versions.
SELECT d.id, d.version, COUNT(v.version) AS versions_found, MAX(v.version) AS newest
FROM (SELECT id, version FROM documents WHERE id > :after ORDER BY id {{limit :limit}}) d
LEFT JOIN document_versions v ON v.document_id = d.id
GROUP BY d.id, d.version
ORDER BY d.id
