-- The epochs of runs. Index: runs primary key.
SELECT id, epoch FROM runs WHERE id {{in :ids:uuid}}
