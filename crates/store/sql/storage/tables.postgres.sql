-- Override: PostgreSQL has no dbstat; its catalogue and its counters know about each table.
-- How large each table is, its indexes included, and about how many rows it has.
SELECT CAST(c.relname AS TEXT) AS table_name,
       CAST(pg_total_relation_size(c.oid) AS BIGINT) AS bytes_used,
       CAST(GREATEST(c.reltuples, COALESCE(s.n_live_tup, 0), 0) AS BIGINT) AS rows_found
FROM pg_class c
LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)
ORDER BY c.relname
