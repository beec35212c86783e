-- Override: what speaks its protocol reads escapes in LIKE in another way; CHARINDEX knows no patterns,
-- and `=` takes blanks for nothing.
-- Those of a portion of a project's documents by their last change that fit, either way.
-- Index: documents_updated.
SELECT id, project_id, type, language, title, version, overall, words, bytes, created_at,
       updated_at, deleted_at
FROM documents
WHERE project_id = :project AND {{beyond updated_at :at, id :edge}}
  AND {{upto updated_at :to_at, id :to}}
  AND CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
  AND (:type = '' OR type = :type)
  AND (:language = '' OR language = :language) AND overall >= :min_overall
  AND (DATALENGTH(:pattern) = 0 OR CHARINDEX(:pattern, search_text) > 0)
ORDER BY updated_at {{along}}, id {{along}} {{limit :limit}}
