-- Messages belong to the project of their thread. Index: primary keys of messages and threads.
UPDATE messages SET project_id = (SELECT t.project_id FROM threads t WHERE t.id = :id)
WHERE thread_id = :id AND project_id <> (SELECT t.project_id FROM threads t WHERE t.id = :id)
