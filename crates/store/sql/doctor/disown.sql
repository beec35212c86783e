-- Takes the owner from a run that has ended. Index: runs primary key.
UPDATE runs SET owner_id = NULL
WHERE id = :run AND finished_at IS NOT NULL AND owner_id IS NOT NULL
