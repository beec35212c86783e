-- Counts an ended run's steps again. Kinds up to 3 are steps that are over. Index: primary keys of
-- runs and journal.
UPDATE runs
SET steps = (SELECT COUNT(*) FROM journal j WHERE j.run_id = :run AND j.kind <= 3)
WHERE id = :run AND finished_at IS NOT NULL
