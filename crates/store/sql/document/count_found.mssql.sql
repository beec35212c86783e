-- Override: what speaks its protocol reads escapes in LIKE in another way; CHARINDEX knows no patterns.
-- How many documents have a phrase. Index: documents_project.
SELECT COUNT(*) AS found FROM documents
WHERE project_id = :project AND deleted_at IS NULL
  AND (:type = '' OR type = :type) AND (:language = '' OR language = :language)
  AND overall >= :min_overall AND CHARINDEX(:pattern, search_text) > 0
