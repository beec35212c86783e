-- A document says again what its newest version says. Index: primary keys of documents and
-- document_versions.
UPDATE documents
SET title = (SELECT v.title FROM document_versions v WHERE v.document_id = :id AND v.version = :newest),
    type = (SELECT v.type FROM document_versions v WHERE v.document_id = :id AND v.version = :newest),
    language = (SELECT v.language FROM document_versions v WHERE v.document_id = :id AND v.version = :newest),
    overall = (SELECT v.overall FROM document_versions v WHERE v.document_id = :id AND v.version = :newest),
    bytes = (SELECT v.bytes FROM document_versions v WHERE v.document_id = :id AND v.version = :newest),
    version = :newest
WHERE id = :id AND version < :newest
