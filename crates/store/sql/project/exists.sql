-- Whether a project exists. Index: projects primary key.
SELECT 1 FROM projects WHERE id = :id
