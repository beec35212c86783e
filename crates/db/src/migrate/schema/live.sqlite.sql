-- The statements that made each table and index, tables first; SQLite keeps them up to date.
SELECT sql AS script FROM sqlite_schema
WHERE sql IS NOT NULL AND type IN ('table', 'index') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY type DESC, name
