-- The restore is done. Index: servers primary key.
DELETE FROM servers WHERE id = :id AND heartbeat_at = :seen
