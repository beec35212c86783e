-- Says of blobs that are there already that they are in use again, and locks them against being
-- deleted as unused; not more often than needed. Index: blobs primary key.
UPDATE blobs SET touched_at = :now
WHERE touched_at < :stale_before AND hash {{in :hashes:text}}
