-- The service: what projects carry besides a name, keys, members, audit, idempotency, labels.
ALTER TABLE projects ADD version BIGINT NOT NULL CONSTRAINT projects_version DEFAULT 1;
ALTER TABLE projects ADD updated_at BIGINT NOT NULL CONSTRAINT projects_updated_at DEFAULT 0;
ALTER TABLE projects ADD deleted_at BIGINT NULL;
ALTER TABLE projects ADD description NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL;
ALTER TABLE projects ADD settings NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL;
ALTER TABLE projects ADD quotas NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL;

-- Keys for programs. The secret is not here, only its blake3 hash; `old_hash` is taken until
-- `old_until`, after a rotation. Without a project a key is for the whole server.
CREATE TABLE api_keys (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NULL,
  role NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  name NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  secret_hash BINARY(32) NOT NULL,
  old_hash BINARY(32) NULL,
  old_until BIGINT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NULL,
  revoked_at BIGINT NULL,
  CONSTRAINT api_keys_pk PRIMARY KEY (id),
  CONSTRAINT api_keys_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT api_keys_role CHECK (role IN ('viewer', 'editor', 'owner', 'admin'))
);

CREATE INDEX api_keys_project ON api_keys (project_id, id);

-- What people may do in a project, by the subject of their token.
CREATE TABLE members (
  project_id BINARY(16) NOT NULL,
  subject NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  role NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT members_pk PRIMARY KEY (project_id, subject),
  CONSTRAINT members_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT members_role CHECK (role IN ('viewer', 'editor', 'owner'))
);

-- What was written through the API, and what was refused. It outlives the projects it tells of.
CREATE TABLE audit (
  id BINARY(16) NOT NULL,
  at BIGINT NOT NULL,
  project_id BINARY(16) NULL,
  actor NVARCHAR(300) COLLATE Latin1_General_100_BIN2 NOT NULL,
  action NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  target NVARCHAR(1000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  status BIGINT NOT NULL,
  trace_id NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  address NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT audit_pk PRIMARY KEY (id)
);

CREATE INDEX audit_project ON audit (project_id, id);

-- Starts by their idempotency key: the second one with the same key finds the first one's run.
CREATE TABLE idempotency (
  project_id BINARY(16) NOT NULL,
  idem_key NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  request_hash BINARY(32) NOT NULL,
  run_id BINARY(16) NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT idempotency_pk PRIMARY KEY (project_id, idem_key),
  CONSTRAINT idempotency_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX idempotency_age ON idempotency (created_at);

-- Labels of runs. A label may be there before its run is, and without one when the start failed.
CREATE TABLE run_labels (
  project_id BINARY(16) NOT NULL,
  name NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  value NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  run_id BINARY(16) NOT NULL,
  CONSTRAINT run_labels_pk PRIMARY KEY (project_id, name, value, run_id),
  CONSTRAINT run_labels_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX run_labels_run ON run_labels (run_id);
