-- A page of the journal of a project's run, either way. Index: runs primary key, journal primary key.
SELECT j.run_id, j.seq, j.epoch, j.kind, j.node, j.visit, j.item, j.attempt, j.started_at,
       j.duration_us, j.body
FROM runs r
JOIN journal j ON j.run_id = r.id
WHERE r.id = :run AND r.project_id = :project AND {{beyond j.seq :edge}}
ORDER BY j.seq {{along}} {{limit :limit}}
