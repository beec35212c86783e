-- A page of the projects that somebody is a member of, either way. Index: members primary key by
-- project, projects primary key.
SELECT p.id, p.name, p.version, p.updated_at
FROM projects p
JOIN members m ON m.project_id = p.id AND m.subject = :subject
WHERE {{beyond p.id :edge}} AND p.deleted_at IS NULL
ORDER BY p.id {{along}} {{limit :limit}}
