-- How many entries the audit log has, up to a number. Index: audit primary key.
SELECT COUNT(*) AS found FROM (SELECT id FROM audit ORDER BY id {{limit :limit}}) a
