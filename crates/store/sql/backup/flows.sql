-- A page of the flows. Index: flows primary key.
SELECT id, project_id, name, created_at FROM flows WHERE id > :id ORDER BY id {{limit :limit}}
