-- Some of a project's documents, deleted or not. Index: documents_project.
SELECT id FROM documents WHERE project_id = :project ORDER BY id {{limit :limit}}
