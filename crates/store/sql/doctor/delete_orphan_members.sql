-- Deletes the members of a project that does not exist. Index: primary keys of members and projects.
DELETE FROM members
WHERE project_id = :id AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = :id)
