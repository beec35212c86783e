-- More members of one project_id. Index: members primary key.
SELECT project_id, subject, role, created_at
FROM members
WHERE project_id = :id AND subject > :after
ORDER BY subject {{limit :limit}}
