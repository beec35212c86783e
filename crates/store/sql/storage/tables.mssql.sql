-- Override: SQL Server has no dbstat; its catalogue knows the pages of 8 KiB of each table.
-- How large each table is, its indexes included, and about how many rows it has.
SELECT t.name AS table_name, CAST(SUM(a.total_pages) * 8192 AS BIGINT) AS bytes_used,
       CAST(SUM(CASE WHEN p.index_id IN (0, 1) AND a.type = 1 THEN p.rows ELSE 0 END) AS BIGINT) AS rows_found
FROM sys.tables t
JOIN sys.partitions p ON p.object_id = t.object_id
JOIN sys.allocation_units a
  ON a.container_id = CASE WHEN a.type = 2 THEN p.partition_id ELSE p.hobt_id END
WHERE t.schema_id = SCHEMA_ID()
GROUP BY t.name ORDER BY t.name
