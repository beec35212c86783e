-- How large each table is, its indexes included, and about how many rows it has. Reads the head of
-- every page of the file: ask only where that is bounded.
SELECT m.tbl_name AS table_name, SUM(d.pgsize) AS bytes_used,
       SUM(CASE WHEN d.name = m.tbl_name AND d.pagetype = 'leaf' THEN d.ncell ELSE 0 END) AS rows_found
FROM dbstat d
JOIN sqlite_schema m ON m.name = d.name
GROUP BY m.tbl_name ORDER BY m.tbl_name
