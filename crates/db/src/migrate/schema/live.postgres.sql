-- One row for each column of each table, key, index and foreign key, and one for each check.
SELECT 'column' AS kind, CAST(c.relname AS TEXT) AS table_name, '' AS name,
       CAST(a.attnum AS BIGINT) AS place, CAST(a.attname AS TEXT) AS column_name,
       format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS detail
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p')
  AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT CASE WHEN i.indisprimary THEN 'primary' WHEN i.indisunique THEN 'unique' ELSE 'index' END,
       CAST(c.relname AS TEXT), CAST(x.relname AS TEXT), CAST(k.place AS BIGINT),
       COALESCE(CAST(a.attname AS TEXT), '(expression)'),
       COALESCE(pg_get_expr(i.indpred, i.indrelid), '')
FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_class x ON x.oid = i.indexrelid
CROSS JOIN LATERAL unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS k (attnum, place)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE i.indisvalid
  AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT 'reference', CAST(c.relname AS TEXT), CAST(o.conname AS TEXT), CAST(k.place AS BIGINT),
       CAST(a.attname AS TEXT),
       CAST(t.relname AS TEXT) || '.' || CAST(b.attname AS TEXT) || ' '
         || CASE CAST(o.confdeltype AS TEXT) WHEN 'c' THEN 'cascade' WHEN 'r' THEN 'restrict'
              WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' ELSE 'no action' END
FROM pg_constraint o
JOIN pg_class c ON c.oid = o.conrelid
JOIN pg_class t ON t.oid = o.confrelid
CROSS JOIN LATERAL unnest(o.conkey, o.confkey) WITH ORDINALITY AS k (here, there, place)
JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.here
JOIN pg_attribute b ON b.attrelid = o.confrelid AND b.attnum = k.there
WHERE o.contype = 'f'
  AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
UNION ALL
SELECT 'check', CAST(c.relname AS TEXT), CAST(o.conname AS TEXT), CAST(0 AS BIGINT), '',
       pg_get_constraintdef(o.oid)
FROM pg_constraint o
JOIN pg_class c ON c.oid = o.conrelid
WHERE o.contype = 'c'
  AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
ORDER BY 1, 2, 3, 4
