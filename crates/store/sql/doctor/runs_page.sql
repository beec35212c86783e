-- A page of all runs, oldest first: whether they have ended, who has them, what they wait for, where
-- their journal begins. Index: primary keys of runs and journal.
SELECT r.id, r.finished_at, r.owner_id, r.status, r.wake_at,
       (SELECT MIN(j.seq) FROM journal j WHERE j.run_id = r.id) AS first_seq
FROM runs r WHERE r.id > :after ORDER BY r.id {{limit :limit}}
