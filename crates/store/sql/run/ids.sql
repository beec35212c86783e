-- A page of all runs, newest first. Index: runs primary key.
SELECT id FROM runs
WHERE id < :before AND status {{in :statuses:text}}
ORDER BY id DESC {{limit :limit}}
