-- Whether a restore is under way or was broken off: it has a row under an id of its own. Index: servers primary key.
SELECT heartbeat_at FROM servers WHERE id = :id
