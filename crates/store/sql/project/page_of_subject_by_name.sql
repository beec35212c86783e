-- A page of the projects that somebody is a member of by name, either way, deleted or not.
-- Index: projects (name), members primary key by project.
SELECT p.id, p.name, p.version, p.updated_at
FROM projects p
JOIN members m ON m.project_id = p.id AND m.subject = :subject
WHERE {{beyond p.name :edge}} AND CASE WHEN p.deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
ORDER BY p.name {{along}} {{limit :limit}}
