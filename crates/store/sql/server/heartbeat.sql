-- Says that a server is alive. Index: servers primary key.
INSERT INTO servers (id, heartbeat_at)
VALUES (:server, :now)
{{upsert id: heartbeat_at}}
