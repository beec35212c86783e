-- A portion of a project's documents, deleted ones too, and the bytes of their texts, either way.
-- Index: documents_project.
SELECT id, bytes FROM documents WHERE project_id = :project AND {{beyond id :edge}}
ORDER BY id {{along}} {{limit :limit}}
