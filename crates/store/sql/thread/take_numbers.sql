-- Takes the next numbers of a thread. Its row stays locked until the messages are written, so numbers
-- have no gaps and their order is that of the commits. Index: threads primary key.
UPDATE threads SET last_seq = last_seq + :count, updated_at = :now
WHERE id = :id AND project_id = :project
