-- What is counted and owned of some runs. Index: runs primary key.
SELECT id, steps, finished_at FROM runs WHERE id {{in :ids:uuid}}
