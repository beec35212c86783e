-- How many entries the journal of a project's run has. Index: runs primary key, journal primary key.
SELECT COUNT(*) AS found FROM runs r JOIN journal j ON j.run_id = r.id
WHERE r.id = :run AND r.project_id = :project
