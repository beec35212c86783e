-- Removes a thread, and its messages by cascade. Index: threads primary key.
DELETE FROM threads WHERE id = :id AND project_id = :project
