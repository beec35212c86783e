-- Servers that were heard of. A scan of servers: there are as many as processes.
SELECT id FROM servers WHERE heartbeat_at >= :heard_since
