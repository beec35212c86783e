-- A new version with the next number; two at once conflict on it. Index: flow_versions (flow_id, version).
INSERT INTO flow_versions (id, flow_id, version, definition_hash, created_at, definition)
SELECT :id, :flow, COALESCE(MAX(version), 0) + 1, :hash, :created_at, :definition
FROM flow_versions WHERE flow_id = :flow
