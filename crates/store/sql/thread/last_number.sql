-- The newest number of a thread. Index: threads primary key.
SELECT last_seq FROM threads WHERE id = :id AND project_id = :project
