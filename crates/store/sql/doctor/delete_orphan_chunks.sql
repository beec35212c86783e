-- Deletes the bytes of an export that does not exist. Index: primary keys of export_chunks and exports.
DELETE FROM export_chunks
WHERE export_id = :id AND NOT EXISTS (SELECT 1 FROM exports e WHERE e.id = :id)
