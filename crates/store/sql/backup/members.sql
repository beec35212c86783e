-- A page of members, which may end in the middle of those of one project_id. Index: members primary key.
SELECT project_id, subject, role, created_at
FROM members
WHERE project_id > :id
ORDER BY project_id, subject {{limit :limit}}
