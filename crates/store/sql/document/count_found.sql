-- How many of a portion of a project's documents fit, either way. Index: documents_project.
SELECT COUNT(*) AS found FROM documents
WHERE project_id = :project AND {{beyond id :edge}} AND {{upto id :to}}
  AND CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
  AND (:language = '' OR language = :language) AND overall >= :min_overall
  AND (:pattern = '' OR search_text LIKE :pattern ESCAPE '!')
