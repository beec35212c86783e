-- Override: neither MySQL nor MariaDB takes LIMIT within IN (SELECT …), and they share no LATERAL.
-- A page of the runs of one flow in any of its versions, either way.
-- Index: flows (project_id, name), flow_versions (flow_id, version), runs_flow_version.
SELECT r.id
FROM flows f
JOIN flow_versions v ON v.flow_id = f.id
JOIN runs r ON r.flow_version_id = v.id
WHERE {{beyond r.id :edge}} AND r.status {{in :statuses:text}} AND f.project_id = :project AND f.name = :flow
ORDER BY r.id {{along}} {{limit :limit}}
