-- Deletes the journals of ended runs (run/delete.sql must follow in the same transaction).
-- Index: primary keys of journal and runs.
DELETE FROM journal WHERE run_id IN (
  SELECT id FROM runs WHERE id {{in :ids:uuid}} AND finished_at IS NOT NULL)
