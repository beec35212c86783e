-- A page of all runs, either way. Index: runs primary key.
SELECT id FROM runs
WHERE {{beyond id :edge}} AND status {{in :statuses:text}}
ORDER BY id {{along}} {{limit :limit}}
