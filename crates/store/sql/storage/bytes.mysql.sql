-- Override: MySQL has no pragmas; its catalogue knows the size of each table with its indexes.
-- How large our tables are, in bytes.
SELECT CAST(COALESCE(SUM(data_length + index_length + data_free), 0) AS SIGNED) AS bytes
FROM information_schema.tables
WHERE table_schema = DATABASE()
