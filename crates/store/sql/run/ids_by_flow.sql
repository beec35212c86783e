-- A page of the runs of one flow in any of its versions, newest first: the newest of each version,
-- then the newest of those. Index: flows (project_id, name), flow_versions (flow_id, version),
-- runs_flow_version.
SELECT r.id
FROM flows f
JOIN flow_versions v ON v.flow_id = f.id
JOIN runs r ON r.id IN (
  SELECT n.id FROM runs n
  WHERE n.flow_version_id = v.id AND n.id < :before AND n.status {{in :statuses:text}}
  ORDER BY n.id DESC {{limit :limit}})
WHERE f.project_id = :project AND f.name = :flow
ORDER BY r.id DESC {{limit :limit}}
