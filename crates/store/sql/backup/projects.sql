-- A page of the projects. Index: projects primary key.
SELECT id, name, created_at FROM projects WHERE id > :id ORDER BY id {{limit :limit}}
