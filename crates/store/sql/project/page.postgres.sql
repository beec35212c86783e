-- Override: behind a parameter PostgreSQL takes a page for a tenth of the table, and so plans it anew each time.
-- A page of the projects that are not deleted, either way. Index: projects primary key.
SELECT id, name, version, updated_at
FROM (
  SELECT id, name, version, updated_at
  FROM projects WHERE {{beyond id :edge}} AND deleted_at IS NULL
  ORDER BY id {{along}} LIMIT 501
) AS page
ORDER BY id {{along}} {{limit :limit}}
