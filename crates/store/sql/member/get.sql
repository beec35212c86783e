-- What somebody may do in a project. Index: members primary key.
SELECT subject, role, created_at FROM members WHERE project_id = :project AND subject = :subject
