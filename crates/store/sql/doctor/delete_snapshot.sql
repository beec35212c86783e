-- Deletes a snapshot; the journal holds what it folds. Index: snapshots primary key.
DELETE FROM snapshots WHERE run_id = :run AND seq = :seq
