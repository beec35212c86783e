-- Override: PostgreSQL has no pragmas; the standard's information_schema tells the same.
-- Every table's columns, as the database has them.
SELECT CAST(table_name AS TEXT) AS table_name, CAST(column_name AS TEXT) AS column_name
FROM information_schema.columns
WHERE table_schema = current_schema()
ORDER BY 1, 2
