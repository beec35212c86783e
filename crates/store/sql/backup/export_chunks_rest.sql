-- More export chunks of one export_id. Index: export_chunks primary key.
SELECT export_id, seq, body
FROM export_chunks
WHERE export_id = :id AND seq > :after
ORDER BY seq {{limit :limit}}
