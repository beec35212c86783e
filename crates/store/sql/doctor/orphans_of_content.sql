-- Rows of content and of access whose parent does not exist, by the parent; foreign keys forbid
-- them. Scans of primary keys and of the indexes that begin with the parent.
SELECT o.table_name, o.id, o.parent
FROM (
  SELECT DISTINCT 'api_keys' AS table_name, k.project_id AS id, 'project' AS parent
  FROM api_keys k WHERE k.project_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = k.project_id)
  UNION ALL
  SELECT DISTINCT 'members', m.project_id, 'project'
  FROM members m WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = m.project_id)
  UNION ALL
  SELECT DISTINCT 'documents', d.project_id, 'project'
  FROM documents d WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = d.project_id)
  UNION ALL
  SELECT DISTINCT 'threads', t.project_id, 'project'
  FROM threads t WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = t.project_id)
  UNION ALL
  SELECT DISTINCT 'agent_executions', a.project_id, 'project'
  FROM agent_executions a WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = a.project_id)
  UNION ALL
  SELECT DISTINCT 'exports', e.project_id, 'project'
  FROM exports e WHERE NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = e.project_id)
  UNION ALL
  SELECT DISTINCT 'document_versions', v.document_id, 'document'
  FROM document_versions v WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = v.document_id)
  UNION ALL
  SELECT DISTINCT 'messages', m.thread_id, 'thread'
  FROM messages m WHERE NOT EXISTS (SELECT 1 FROM threads t WHERE t.id = m.thread_id)
  UNION ALL
  SELECT DISTINCT 'export_chunks', c.export_id, 'export'
  FROM export_chunks c WHERE NOT EXISTS (SELECT 1 FROM exports e WHERE e.id = c.export_id)
) o
ORDER BY o.table_name, o.id {{limit :limit}}
