-- A piece of an archive that can be downloaded still. Index: the primary keys of exports and export_chunks.
SELECT c.body FROM exports e JOIN export_chunks c ON c.export_id = e.id
WHERE e.id = :id AND e.project_id = :project AND e.status = 'ready' AND e.expires_at > :now AND c.seq = :seq
