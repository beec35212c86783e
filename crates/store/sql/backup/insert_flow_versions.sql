-- Versions of flows of a backup. Index: flow_versions primary key.
INSERT INTO flow_versions (id, flow_id, version, definition_hash, created_at, definition)
{{rows id:uuid, flow_id:uuid, version:int, definition_hash:bytes, created_at:int, definition:text}}
