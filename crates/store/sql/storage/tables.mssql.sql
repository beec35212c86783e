-- Override: SQL Server has no dbstat; its catalogue knows the pages of 8 KiB of each table.
-- How large each table is, its indexes included, and about how many rows it has. The view for old
-- programs is the one that every server has which speaks T-SQL; 0 and 1 are the table with all of its
-- indexes, 255 is its large values.
SELECT t.name AS table_name, CAST(SUM(CAST(i.reserved AS BIGINT)) * 8192 AS BIGINT) AS bytes_used,
       CAST(SUM(CASE WHEN i.indid IN (0, 1) THEN CAST(i.rows AS BIGINT) ELSE 0 END) AS BIGINT) AS rows_found
FROM sys.tables t
JOIN sys.sysindexes i ON i.id = t.object_id AND i.indid IN (0, 1, 255)
WHERE t.schema_id = SCHEMA_ID()
GROUP BY t.name ORDER BY t.name
