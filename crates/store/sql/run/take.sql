-- Gives runs to a server and raises their epochs. Index: runs primary key.
UPDATE runs SET owner_id = :server, epoch = epoch + 1, status = 'running', wake_at = NULL
WHERE id {{in :ids:uuid}}
