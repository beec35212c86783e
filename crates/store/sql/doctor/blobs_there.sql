-- Which of these blobs are there. Index: blobs primary key.
SELECT hash FROM blobs WHERE hash {{in :hashes:text}}
