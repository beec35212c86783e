-- How many messages a thread has. Index: messages primary key.
SELECT COUNT(*) AS found FROM messages WHERE thread_id = :thread AND project_id = :project
