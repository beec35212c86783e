-- Ended runs that still have an owner. A scan of runs: a constraint forbids them.
SELECT id FROM runs
WHERE finished_at IS NOT NULL AND owner_id IS NOT NULL
ORDER BY id {{limit :limit}}
