-- One version with its flow. Index: the primary keys of flow_versions and flows.
SELECT v.id, f.project_id, f.name, v.version, v.definition
FROM flow_versions v JOIN flows f ON f.id = v.flow_id
WHERE v.id = :id
