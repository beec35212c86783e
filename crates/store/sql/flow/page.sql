-- A page of a project's flows by name, either way, each with its newest version.
-- Index: flows (project_id, name), flow_versions (flow_id, version).
SELECT f.name, v.id, v.version, v.created_at
FROM flows f
JOIN flow_versions v ON v.flow_id = f.id
WHERE f.project_id = :project AND {{beyond f.name :edge}}
  AND v.version = (SELECT MAX(m.version) FROM flow_versions m WHERE m.flow_id = f.id)
ORDER BY f.name {{along}} {{limit :limit}}
