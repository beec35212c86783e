-- Unfinished runs whose owner is not alive, counted by owner. Index: runs_owned, servers primary key.
SELECT r.owner_id, COUNT(*) AS runs_found
FROM runs r
WHERE r.finished_at IS NULL AND r.owner_id IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM servers s WHERE s.id = r.owner_id AND s.heartbeat_at >= :expired_before)
GROUP BY r.owner_id
ORDER BY r.owner_id
