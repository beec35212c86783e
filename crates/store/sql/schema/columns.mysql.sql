-- Override: MySQL has no pragmas; the standard's information_schema tells the same, of this database.
-- Every table's columns, as the database has them.
SELECT table_name AS table_name, column_name AS column_name
FROM information_schema.columns
WHERE table_schema = DATABASE()
ORDER BY 1, 2
