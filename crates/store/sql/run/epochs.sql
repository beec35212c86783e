-- The epochs and owners of runs. Index: runs primary key.
SELECT id, epoch, owner_id FROM runs WHERE id {{in :ids:uuid}}
