-- The service: what projects carry besides a name, keys, members, audit, idempotency, labels.
ALTER TABLE projects ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN deleted_at INTEGER;
ALTER TABLE projects ADD COLUMN description TEXT;
ALTER TABLE projects ADD COLUMN settings TEXT;
ALTER TABLE projects ADD COLUMN quotas TEXT;

-- Keys for programs. The secret is not here, only its blake3 hash; `old_hash` is taken until
-- `old_until`, after a rotation. Without a project a key is for the whole server.
CREATE TABLE api_keys (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner', 'admin')),
  name TEXT NOT NULL,
  secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
  old_hash BLOB CHECK (length(old_hash) = 32),
  old_until INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
) STRICT;

CREATE INDEX api_keys_project ON api_keys (project_id, id);

-- What people may do in a project, by the subject of their token.
CREATE TABLE members (
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  subject TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, subject)
) STRICT, WITHOUT ROWID;

-- What was written through the API, and what was refused. It outlives the projects it tells of.
CREATE TABLE audit (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  at INTEGER NOT NULL,
  project_id BLOB CHECK (length(project_id) = 16),
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  status INTEGER NOT NULL,
  trace_id TEXT NOT NULL,
  address TEXT NOT NULL
) STRICT;

CREATE INDEX audit_project ON audit (project_id, id);

-- Starts by their idempotency key: the second one with the same key finds the first one's run.
CREATE TABLE idempotency (
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  idem_key TEXT NOT NULL,
  request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
  run_id BLOB NOT NULL CHECK (length(run_id) = 16),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project_id, idem_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (created_at);

-- Labels of runs. A label may be there before its run is, and without one when the start failed.
CREATE TABLE run_labels (
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  run_id BLOB NOT NULL CHECK (length(run_id) = 16),
  PRIMARY KEY (project_id, name, value, run_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_labels_run ON run_labels (run_id);
