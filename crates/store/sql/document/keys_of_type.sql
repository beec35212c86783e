-- A portion of a project's documents of one type, deleted ones too, and the bytes of their texts,
-- either way. Index: documents_type.
SELECT id, bytes FROM documents WHERE project_id = :project AND type = :type AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
