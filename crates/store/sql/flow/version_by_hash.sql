-- The version of a flow that holds this text. Index: flow_versions (flow_id, definition_hash).
SELECT id, version FROM flow_versions WHERE flow_id = :flow AND definition_hash = :hash
