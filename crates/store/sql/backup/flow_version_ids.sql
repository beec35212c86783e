-- A page of the ids of all versions. Index: flow_versions primary key.
SELECT id FROM flow_versions WHERE id > :id ORDER BY id {{limit :limit}}
