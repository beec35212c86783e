-- The service: what projects carry besides a name, keys, members, audit, idempotency, labels.
ALTER TABLE projects ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN deleted_at BIGINT;
ALTER TABLE projects ADD COLUMN description TEXT;
ALTER TABLE projects ADD COLUMN settings TEXT;
ALTER TABLE projects ADD COLUMN quotas TEXT;

-- Keys for programs. The secret is not here, only its blake3 hash; `old_hash` is taken until
-- `old_until`, after a rotation. Without a project a key is for the whole server.
CREATE TABLE api_keys (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID REFERENCES projects (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner', 'admin')),
  name TEXT NOT NULL,
  secret_hash BYTEA NOT NULL CHECK (octet_length(secret_hash) = 32),
  old_hash BYTEA CHECK (octet_length(old_hash) = 32),
  old_until BIGINT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
);

CREATE INDEX api_keys_project ON api_keys (project_id, id);

-- What people may do in a project, by the subject of their token.
CREATE TABLE members (
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  subject TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, subject)
);

-- What was written through the API, and what was refused. It outlives the projects it tells of.
CREATE TABLE audit (
  id UUID NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  project_id UUID,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  status BIGINT NOT NULL,
  trace_id TEXT NOT NULL,
  address TEXT NOT NULL
);

CREATE INDEX audit_project ON audit (project_id, id);

-- Starts by their idempotency key: the second one with the same key finds the first one's run.
CREATE TABLE idempotency (
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  idem_key TEXT NOT NULL,
  request_hash BYTEA NOT NULL CHECK (octet_length(request_hash) = 32),
  run_id UUID NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, idem_key)
);

CREATE INDEX idempotency_age ON idempotency (created_at);

-- Labels of runs. A label may be there before its run is, and without one when the start failed.
CREATE TABLE run_labels (
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  run_id UUID NOT NULL,
  PRIMARY KEY (project_id, name, value, run_id)
);

CREATE INDEX run_labels_run ON run_labels (run_id);
