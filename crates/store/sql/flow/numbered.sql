-- One version of a flow by its number. Index: flows (project_id, name), flow_versions (flow_id,
-- version).
SELECT f.name, v.id, v.version, v.created_at, v.definition
FROM flows f
JOIN flow_versions v ON v.flow_id = f.id
WHERE f.project_id = :project AND f.name = :name AND v.version = :version
