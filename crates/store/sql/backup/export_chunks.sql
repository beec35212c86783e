-- A page of export chunks, which may end in the middle of those of one export_id. Index: export_chunks primary key.
SELECT export_id, seq, body
FROM export_chunks
WHERE export_id > :id
ORDER BY export_id, seq {{limit :limit}}
