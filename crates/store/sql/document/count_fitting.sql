-- How many of a project's documents fit, and how many were looked at: not more than a number,
-- from the oldest on. Index: documents_project.
SELECT COUNT(*) AS looked, COUNT(t.fits) AS found
FROM (
  SELECT CASE WHEN CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
    AND (:language = '' OR language = :language) AND overall >= :min_overall THEN 1 END AS fits
  FROM documents WHERE project_id = :project
  ORDER BY id {{limit :limit}}
) t
