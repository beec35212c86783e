-- Override: PostgreSQL has no such check in SQL, but counts the pages whose checksums were wrong when they were read.
SELECT CASE WHEN COALESCE(MAX(checksum_failures), 0) > 0
    THEN 'pages with wrong checksums were read: ' || CAST(MAX(checksum_failures) AS TEXT)
    ELSE 'ok' END AS finding
FROM pg_stat_database
WHERE datname = current_database()
