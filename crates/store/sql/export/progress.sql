-- A piece more, if the builder is still the one. Index: exports primary key.
UPDATE exports SET claimed_at = :now, chunks = :chunks, bytes = :bytes, documents = :documents
WHERE id = :id AND attempt = :attempt AND status = 'running'
