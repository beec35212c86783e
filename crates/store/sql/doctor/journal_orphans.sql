-- Journals of runs that do not exist. Index: a scan of the journal primary key, runs primary key.
SELECT DISTINCT j.run_id
FROM journal j
WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = j.run_id)
ORDER BY j.run_id {{limit :limit}}
