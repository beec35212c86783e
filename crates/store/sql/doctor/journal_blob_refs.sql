-- A page of the bodies that refer to blobs, in the journals from one run to another.
-- Index: journal primary key.
SELECT run_id, seq, body FROM journal
WHERE (run_id > :run OR (run_id = :run AND seq > :seq)) AND run_id <= :last
  AND body LIKE '%"$blob":"%'
ORDER BY run_id, seq {{limit :limit}}
