-- A page of the ids of all runs, and when they ended. Index: runs primary key.
SELECT id, finished_at FROM runs WHERE id > :id ORDER BY id {{limit :limit}}
