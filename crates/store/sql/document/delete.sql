-- Removes documents of a project that is purged, and their versions by cascade.
-- Index: documents primary key.
DELETE FROM documents WHERE project_id = :project AND id {{in :ids:uuid}}
