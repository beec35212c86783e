-- Override: what speaks its protocol reads escapes in LIKE in another way; CHARINDEX knows no patterns.
-- How many of a portion of a project's messages have a phrase, either way.
-- Index: messages_project.
SELECT COUNT(*) AS found FROM messages m
WHERE m.project_id = :project AND {{beyond m.id :edge}} AND {{upto m.id :to}}
  AND CHARINDEX(:pattern, m.search_text) > 0
