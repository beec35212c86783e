-- An export whose bytes are not there has failed. Index: exports primary key.
UPDATE exports SET status = 'failed', error = :error WHERE id = :id AND status = 'ready'
