-- A page of exports: how many pieces each says it has, and how many there are. Index: primary keys
-- of exports and export_chunks.
SELECT e.id, e.status, e.chunks, COUNT(c.seq) AS chunks_found
FROM (SELECT id, status, chunks FROM exports WHERE id > :after ORDER BY id {{limit :limit}}) e
LEFT JOIN export_chunks c ON c.export_id = e.id
GROUP BY e.id, e.status, e.chunks
ORDER BY e.id
