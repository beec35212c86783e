-- Takes the time from a run that does not wait for it. Index: runs primary key.
UPDATE runs SET wake_at = NULL
WHERE id = :run AND wake_at IS NOT NULL AND (status <> 'waiting' OR owner_id IS NOT NULL)
