-- Removes the bytes of an archive. Index: export_chunks primary key.
DELETE FROM export_chunks WHERE export_id = :id
