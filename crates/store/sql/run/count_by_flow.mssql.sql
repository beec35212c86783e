-- Override: it takes a number of rows only after ORDER BY; no order is needed.
-- How many of a flow's runs of a time fit, and how many were looked at: not more than a number.
-- Index: flows (project_id, name), flow_versions (flow_id, version), runs_flow_version.
SELECT COUNT(*) AS looked, COUNT(t.fits) AS found
FROM (
  SELECT CASE WHEN r.status {{in :statuses:text}} AND r.created_at >= :since AND r.created_at < :until
    THEN 1 END AS fits
  FROM flows f
  JOIN flow_versions v ON v.flow_id = f.id
  JOIN runs r ON r.flow_version_id = v.id
  WHERE f.project_id = :project AND f.name = :flow AND r.id >= :oldest AND r.id < :newest
  ORDER BY (SELECT NULL) {{limit :limit}}
) t
