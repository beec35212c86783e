-- Deletes blobs that no run refers to, unless one was touched meanwhile. Index: blobs primary key.
DELETE FROM blobs WHERE touched_at < :untouched_since AND hash {{in :hashes:text}}
