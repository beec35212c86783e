-- How many of a project's runs of a time fit, and how many were looked at: not more than a number.
-- Index: runs_project.
SELECT COUNT(*) AS looked, COUNT(t.fits) AS found
FROM (
  SELECT CASE WHEN r.status {{in :statuses:text}} AND r.created_at >= :since AND r.created_at < :until
    THEN 1 END AS fits
  FROM runs r WHERE r.project_id = :project AND r.id >= :oldest AND r.id < :newest
  ORDER BY r.id {{limit :limit}}
) t
