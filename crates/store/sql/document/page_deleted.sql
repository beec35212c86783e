-- A page of a project's deleted documents, either way. Index: documents_project.
SELECT id, project_id, type, language, title, version, overall, words, bytes, created_at,
       updated_at, deleted_at
FROM documents
WHERE project_id = :project AND {{beyond id :edge}} AND deleted_at IS NOT NULL
  AND (:type = '' OR type = :type) AND (:language = '' OR language = :language)
  AND overall >= :min_overall
ORDER BY id {{along}} {{limit :limit}}
