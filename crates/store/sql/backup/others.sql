-- The latest sign of life of any process on the database. A scan of servers, which is small.
SELECT MAX(heartbeat_at) AS heard_at FROM servers WHERE id <> :id
