-- Takes a server's unfinished runs from it. Index: runs_owned.
UPDATE runs SET owner_id = NULL
WHERE finished_at IS NULL AND owner_id = :server
