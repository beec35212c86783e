-- A page of the deleted projects, either way. Index: projects primary key.
SELECT id, name, version, updated_at
FROM projects WHERE {{beyond id :edge}} AND deleted_at IS NOT NULL
ORDER BY id {{along}} {{limit :limit}}
