-- Takes somebody out of a project. Index: members primary key.
DELETE FROM members WHERE project_id = :project AND subject = :subject
