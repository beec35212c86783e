-- Override: MariaDB before 11.1 reads the whole journal for DELETE … WHERE run_id IN (SELECT …).
-- Deletes the journals of ended runs (run/delete.sql must follow in the same transaction).
-- Index: primary keys of journal and runs.
DELETE j FROM journal j JOIN runs r ON r.id = j.run_id
WHERE r.id {{in :ids:uuid}} AND r.finished_at IS NOT NULL
