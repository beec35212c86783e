-- The newest version's values, if the document is still at the version that the writer has read.
-- Index: documents primary key.
UPDATE documents
SET type = :type, language = :language, title = :title, version = :version, overall = :overall,
    words = :words, bytes = :bytes, updated_at = :updated_at, search_text = :search_text
WHERE id = :id AND project_id = :project AND version = :expected AND deleted_at IS NULL
