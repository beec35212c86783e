-- A page of the journal of a project's run, in order. Index: runs primary key, journal primary key.
SELECT j.run_id, j.seq, j.epoch, j.kind, j.node, j.visit, j.item, j.attempt, j.started_at,
       j.duration_us, j.body
FROM runs r
JOIN journal j ON j.run_id = r.id
WHERE r.id = :run AND r.project_id = :project AND j.seq > :after
ORDER BY j.seq {{limit :limit}}
