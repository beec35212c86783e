-- A page of the journal bodies that refer to blobs. Index: journal primary key.
SELECT run_id, seq, body FROM journal
WHERE (run_id > :run OR (run_id = :run AND seq > :seq)) AND body LIKE '%"$blob":"%'
ORDER BY run_id, seq {{limit :limit}}
