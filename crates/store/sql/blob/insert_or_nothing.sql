-- New blobs; one that is there already is left alone. Index: blobs primary key.
INSERT INTO blobs (hash, size, compressed, body)
{{rows hash:text, size:int, compressed:int, body:bytes}}
{{insert_or_nothing hash}}
