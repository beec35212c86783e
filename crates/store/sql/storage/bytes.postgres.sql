-- Override: PostgreSQL has no pragmas; its catalogue knows the size of each table with its indexes.
-- How large our tables are, in bytes.
SELECT CAST(COALESCE(SUM(pg_total_relation_size(c.oid)), 0) AS BIGINT) AS bytes
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)
