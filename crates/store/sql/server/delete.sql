-- Forgets a server that stops cleanly. Index: servers primary key.
DELETE FROM servers WHERE id = :server
