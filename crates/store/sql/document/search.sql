-- A page of a project's documents whose title or text has a phrase, either way. Reads the texts of
-- the project's documents until the page is full. Index: documents_project.
SELECT id, project_id, type, language, title, version, overall, words, bytes, created_at,
       updated_at, deleted_at
FROM documents
WHERE project_id = :project AND {{beyond id :edge}} AND deleted_at IS NULL
  AND (:type = '' OR type = :type) AND (:language = '' OR language = :language)
  AND overall >= :min_overall AND search_text LIKE :pattern ESCAPE '!'
ORDER BY id {{along}} {{limit :limit}}
