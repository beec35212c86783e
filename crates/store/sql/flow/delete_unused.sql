-- Deletes a flow that no run is of, and its versions by cascade. Index: flows (project_id, name),
-- flow_versions (flow_id, version), runs_flow_version.
DELETE FROM flows
WHERE project_id = :project AND name = :name AND NOT EXISTS (
  SELECT 1 FROM flow_versions v JOIN runs r ON r.flow_version_id = v.id
  WHERE v.flow_id = flows.id)
