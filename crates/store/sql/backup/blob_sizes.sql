-- A page of the blobs there are. Index: blobs primary key.
SELECT hash, size FROM blobs WHERE hash > :hash ORDER BY hash {{limit :limit}}
