-- Override: SQL Server has no pragmas; it knows the size of its files, in pages of 8 KiB.
-- How large the database is, in bytes, free pages and log included.
SELECT COALESCE(SUM(CAST(size AS BIGINT)), 0) * 8192 AS bytes FROM sys.database_files
