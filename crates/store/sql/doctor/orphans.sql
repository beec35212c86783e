-- Rows whose parent does not exist; foreign keys forbid them. Scans of primary keys.
SELECT o.table_name, o.id, o.parent
FROM (
  SELECT 'snapshots' AS table_name, s.run_id AS id, 'run' AS parent
  FROM snapshots s WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = s.run_id)
  UNION ALL
  SELECT 'runs', r.id, 'flow version'
  FROM runs r WHERE NOT EXISTS (SELECT 1 FROM flow_versions v WHERE v.id = r.flow_version_id)
  UNION ALL
  SELECT 'flow_versions', v.id, 'flow'
  FROM flow_versions v WHERE NOT EXISTS (SELECT 1 FROM flows f WHERE f.id = v.flow_id)
  UNION ALL
  SELECT 'flows', f.id, 'project'
  FROM flows f WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = f.project_id)
) o
ORDER BY o.table_name, o.id {{limit :limit}}
