-- Override: MySQL has no dbstat; its catalogue knows about each table.
-- How large each table is, its indexes included, and about how many rows it has.
SELECT t.table_name AS table_name,
       CAST(COALESCE(t.data_length + t.index_length + t.data_free, 0) AS SIGNED) AS bytes_used,
       CAST(COALESCE(t.table_rows, 0) AS SIGNED) AS rows_found
FROM information_schema.tables t
WHERE t.table_schema = DATABASE()
ORDER BY t.table_name
