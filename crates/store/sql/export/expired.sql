-- Archives whose time is over. Index: exports_expiry.
SELECT id FROM exports WHERE status = 'ready' AND expires_at <= :now
ORDER BY expires_at {{limit :limit}}
