-- A page of the blobs that were not touched lately. Index: blobs primary key.
SELECT hash FROM blobs
WHERE hash > :after AND touched_at < :untouched_since
ORDER BY hash {{limit :limit}}
