-- A page of the runs of one flow in any of its versions, either way: the first of each version,
-- then the first of those. Index: flows (project_id, name), flow_versions (flow_id, version),
-- runs_flow_version.
SELECT r.id
FROM flows f
JOIN flow_versions v ON v.flow_id = f.id
JOIN runs r ON r.id IN (
  SELECT n.id FROM runs n
  WHERE n.flow_version_id = v.id AND {{beyond n.id :edge}} AND n.status {{in :statuses:text}}
  ORDER BY n.id {{along}} {{limit :limit}})
WHERE f.project_id = :project AND f.name = :flow
ORDER BY r.id {{along}} {{limit :limit}}
