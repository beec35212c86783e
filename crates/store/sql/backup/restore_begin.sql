-- Says that a restore is under way; fails when one is. Index: servers primary key.
INSERT INTO servers (id, heartbeat_at) VALUES (:id, :now)
