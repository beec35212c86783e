-- A thread goes on after its newest message. Index: threads primary key.
UPDATE threads SET last_seq = :newest WHERE id = :id AND last_seq < :newest
