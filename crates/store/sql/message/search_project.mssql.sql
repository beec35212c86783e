-- Override: what speaks its protocol reads escapes in LIKE in another way; CHARINDEX knows no patterns.
-- Those of a portion of a project's messages that have a phrase, either way.
-- Index: messages_project.
SELECT m.thread_id, m.seq, m.id, m.role, m.name, m.run_id, m.created_at, m.bytes, m.content, m.metadata
FROM messages m
WHERE m.project_id = :project AND {{beyond m.id :edge}} AND {{upto m.id :to}}
  AND CHARINDEX(:pattern, m.search_text) > 0
ORDER BY m.id {{along}} {{limit :limit}}
