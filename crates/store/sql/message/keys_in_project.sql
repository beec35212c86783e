-- A portion of a project's messages and the bytes of their contents, either way.
-- Index: messages_project.
SELECT m.id, m.bytes FROM messages m
WHERE m.project_id = :project AND {{beyond m.id :edge}}
ORDER BY m.id {{along}} {{limit :limit}}
