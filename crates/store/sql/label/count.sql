-- How many of a project's runs with a label fit, and how many were looked at: not more than a
-- number. Index: run_labels primary key, the primary keys of runs, flow_versions and flows.
SELECT COUNT(*) AS looked, COUNT(t.fits) AS found
FROM (
  SELECT CASE WHEN r.status {{in :statuses:text}} AND (:flow = '' OR f.name = :flow)
    AND r.created_at >= :since AND r.created_at < :until THEN 1 END AS fits
  FROM run_labels l
  JOIN runs r ON r.id = l.run_id
  JOIN flow_versions v ON v.id = r.flow_version_id
  JOIN flows f ON f.id = v.flow_id
  WHERE l.project_id = :project AND l.name = :name AND l.value = :value
    AND l.run_id >= :oldest AND l.run_id < :newest
  ORDER BY l.run_id {{limit :limit}}
) t
