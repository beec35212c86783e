-- Runs with the names of their flows, without their inputs and outputs, which may be large. Index: the
-- primary keys of runs, flow_versions, flows.
SELECT r.id, r.project_id, r.flow_version_id, f.name, v.version, r.status, '' AS input,
       NULL AS output, r.error, r.steps, r.owner_id, r.epoch, r.created_at, r.finished_at, r.deadline,
       r.wake_at, r.cancel_requested_at
FROM runs r
JOIN flow_versions v ON v.id = r.flow_version_id
JOIN flows f ON f.id = v.flow_id
WHERE r.id {{in :ids:uuid}}
