-- Deletes ended runs, and their snapshots by cascade. Index: runs primary key.
DELETE FROM runs WHERE id {{in :ids:uuid}} AND finished_at IS NOT NULL
