-- How many documents a list without a phrase has. Index: documents_project.
SELECT COUNT(*) AS found FROM documents
WHERE project_id = :project AND CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
  AND (:type = '' OR type = :type) AND (:language = '' OR language = :language)
  AND overall >= :min_overall
