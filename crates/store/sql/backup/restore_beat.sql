-- Says that the restore goes on, unless another one has taken the database over. Index: servers primary key.
UPDATE servers SET heartbeat_at = :now WHERE id = :id AND heartbeat_at = :seen
