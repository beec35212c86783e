-- New blobs; one that is there already is left alone. Index: blobs primary key.
INSERT INTO blobs (hash, size, compressed, body, touched_at)
{{rows hash:text, size:int, compressed:int, body:bytes, touched_at:int}}
{{insert_or_nothing hash}}
