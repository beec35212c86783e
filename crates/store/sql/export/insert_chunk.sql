-- A piece of an archive. Index: export_chunks primary key.
INSERT INTO export_chunks (export_id, seq, body) VALUES (:id, :seq, :body)
