-- An unfinished run's new standing, if its owner is still the one. Index: runs primary key.
UPDATE runs
SET status = :status, output = :output, error = :error, steps = :steps, wake_at = :wake_at
WHERE id = :id AND epoch = :epoch
