-- Notes that an archive's time is over. Index: exports primary key.
UPDATE exports SET status = 'expired' WHERE id = :id AND status = 'ready' AND expires_at <= :now
