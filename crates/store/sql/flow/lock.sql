-- Whoever writes versions of a flow or deletes it waits here for the others; nothing changes.
-- Index: flows (project_id, name).
UPDATE flows SET name = name WHERE project_id = :project AND name = :name
