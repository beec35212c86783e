-- A page of a project's members by subject, either way. Index: members primary key.
SELECT subject, role, created_at FROM members
WHERE project_id = :project AND {{beyond subject :edge}}
ORDER BY subject {{along}} {{limit :limit}}
