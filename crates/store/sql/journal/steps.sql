-- How many steps of a project's run are over. Index: runs primary key, journal primary key.
SELECT COUNT(*) AS found FROM runs r
JOIN journal j ON j.run_id = r.id
WHERE r.id = :run AND r.project_id = :project AND j.kind <= 3
