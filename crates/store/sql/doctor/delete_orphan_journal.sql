-- Deletes the journal of a run that does not exist. Index: primary keys of journal and runs.
DELETE FROM journal
WHERE run_id = :run AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = :run)
