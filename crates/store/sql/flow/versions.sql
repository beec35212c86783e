-- A page of a flow's versions, either way. Index: flows (project_id, name), flow_versions
-- (flow_id, version).
SELECT f.name, v.id, v.version, v.created_at
FROM flows f
JOIN flow_versions v ON v.flow_id = f.id
WHERE f.project_id = :project AND f.name = :name AND {{beyond v.version :edge}}
ORDER BY v.version {{along}} {{limit :limit}}
