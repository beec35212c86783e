-- One row for each column of each table, key, index and foreign key, and one for each check.
SELECT 'column' AS kind, CAST(c.TABLE_NAME AS NVARCHAR(200)) AS table_name,
       CAST('' AS NVARCHAR(200)) AS name, CAST(c.ORDINAL_POSITION AS BIGINT) AS place,
       CAST(c.COLUMN_NAME AS NVARCHAR(200)) AS column_name,
       CAST(CONCAT(c.DATA_TYPE,
         CASE WHEN c.CHARACTER_MAXIMUM_LENGTH = -1 THEN '(max)'
           WHEN c.CHARACTER_MAXIMUM_LENGTH IS NOT NULL
             THEN CONCAT('(', c.CHARACTER_MAXIMUM_LENGTH, ')') ELSE '' END,
         CASE WHEN c.IS_NULLABLE = 'NO' THEN ' not null' ELSE '' END) AS NVARCHAR(4000)) AS detail
FROM INFORMATION_SCHEMA.COLUMNS c
JOIN sys.tables b ON b.schema_id = SCHEMA_ID() AND b.name = c.TABLE_NAME
WHERE c.TABLE_SCHEMA = SCHEMA_NAME()
UNION ALL
SELECT CASE WHEN i.is_primary_key = 1 THEN 'primary' WHEN i.is_unique = 1 THEN 'unique'
         ELSE 'index' END,
       CAST(t.name AS NVARCHAR(200)), CAST(i.name AS NVARCHAR(200)),
       CAST(k.key_ordinal AS BIGINT), CAST(c.name AS NVARCHAR(200)),
       CAST(COALESCE(i.filter_definition, '') AS NVARCHAR(4000))
FROM sys.indexes i
JOIN sys.tables t ON t.object_id = i.object_id
JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id
  AND k.key_ordinal > 0
JOIN sys.columns c ON c.object_id = k.object_id AND c.column_id = k.column_id
WHERE t.schema_id = SCHEMA_ID() AND i.name IS NOT NULL
UNION ALL
SELECT 'reference', CAST(t.name AS NVARCHAR(200)), CAST(f.name AS NVARCHAR(200)),
       CAST(k.constraint_column_id AS BIGINT), CAST(c.name AS NVARCHAR(200)),
       CAST(CONCAT(r.name, '.', d.name, ' ', LOWER(f.delete_referential_action_desc))
         AS NVARCHAR(4000))
FROM sys.foreign_keys f
JOIN sys.tables t ON t.object_id = f.parent_object_id
JOIN sys.tables r ON r.object_id = f.referenced_object_id
JOIN sys.foreign_key_columns k ON k.constraint_object_id = f.object_id
JOIN sys.columns c ON c.object_id = k.parent_object_id AND c.column_id = k.parent_column_id
JOIN sys.columns d ON d.object_id = k.referenced_object_id AND d.column_id = k.referenced_column_id
WHERE t.schema_id = SCHEMA_ID()
UNION ALL
SELECT 'check', CAST(t.name AS NVARCHAR(200)), CAST(x.name AS NVARCHAR(200)), CAST(0 AS BIGINT),
       CAST('' AS NVARCHAR(200)), CAST(x.definition AS NVARCHAR(4000))
FROM sys.check_constraints x
JOIN sys.tables t ON t.object_id = x.parent_object_id
WHERE t.schema_id = SCHEMA_ID()
ORDER BY 1, 2, 3, 4
