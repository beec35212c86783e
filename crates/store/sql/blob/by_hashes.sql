-- Blobs. Index: blobs primary key.
SELECT hash, size, compressed, body FROM blobs WHERE hash {{in :hashes:text}}
