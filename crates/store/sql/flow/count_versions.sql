-- How many versions a flow has. Index: flows (project_id, name), flow_versions (flow_id, version).
SELECT COUNT(*) AS found FROM flows f JOIN flow_versions v ON v.flow_id = f.id
WHERE f.project_id = :project AND f.name = :name
