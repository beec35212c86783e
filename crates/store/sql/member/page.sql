-- A page of a project's members. Index: members primary key.
SELECT subject, role, created_at FROM members
WHERE project_id = :project AND subject > :after
ORDER BY subject {{limit :limit}}
