-- Versions of flows. Index: flow_versions primary key.
SELECT id, flow_id, version, definition_hash, created_at, definition
FROM flow_versions
WHERE id {{in :ids:uuid}}
ORDER BY id
