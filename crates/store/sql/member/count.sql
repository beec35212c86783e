-- How many members a project has. Index: members primary key.
SELECT COUNT(*) AS found FROM members WHERE project_id = :project
