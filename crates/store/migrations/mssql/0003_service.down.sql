-- Takes the service's tables away, and what projects carried for it.
DROP TABLE run_labels;
DROP TABLE idempotency;
DROP TABLE audit;
DROP TABLE members;
DROP TABLE api_keys;
ALTER TABLE projects DROP COLUMN quotas;
ALTER TABLE projects DROP COLUMN settings;
ALTER TABLE projects DROP COLUMN description;
ALTER TABLE projects DROP COLUMN deleted_at;
ALTER TABLE projects DROP CONSTRAINT IF EXISTS projects_updated_at;
ALTER TABLE projects DROP COLUMN updated_at;
ALTER TABLE projects DROP CONSTRAINT IF EXISTS projects_version;
ALTER TABLE projects DROP COLUMN version;
