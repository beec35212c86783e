-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are 16 bytes, JSON is text that was validated before it came
-- here. Ids are UUID v7, so the order of ids is the order of creation and the list indexes end in
-- the id.

CREATE TABLE projects (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  updated_at INTEGER NOT NULL DEFAULT 0,
  deleted_at INTEGER,
  description TEXT,
  settings TEXT,
  quotas TEXT
) STRICT, WITHOUT ROWID;

-- The default project (ProjectId::DEFAULT), there from the first migration on.
INSERT INTO projects (id, name, created_at)
VALUES (x'00000000000070008000000000000001', 'default', 0);

CREATE TABLE flows (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (project_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_versions (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  flow_id BLOB NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  version INTEGER NOT NULL CHECK (version >= 1),
  definition_hash BLOB NOT NULL CHECK (length(definition_hash) = 32),
  created_at INTEGER NOT NULL,
  definition TEXT NOT NULL,
  UNIQUE (flow_id, version),
  UNIQUE (flow_id, definition_hash)
) STRICT;

CREATE TABLE servers (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  heartbeat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- owner_id has no foreign key: an owner without a row in servers is a dead one, and is claimed from.
CREATE TABLE runs (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
  flow_version_id BLOB NOT NULL REFERENCES flow_versions (id) ON DELETE RESTRICT,
  status TEXT NOT NULL CHECK (status IN
    ('pending', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled')),
  owner_id BLOB CHECK (length(owner_id) = 16),
  epoch INTEGER NOT NULL CHECK (epoch >= 0),
  steps INTEGER NOT NULL CHECK (steps >= 0),
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  deadline INTEGER,
  wake_at INTEGER,
  cancel_requested_at INTEGER,
  input TEXT NOT NULL,
  output TEXT,
  error TEXT,
  CONSTRAINT runs_finished_when_final
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
  CONSTRAINT runs_ended_without_owner CHECK (finished_at IS NULL OR owner_id IS NULL)
) STRICT;

CREATE INDEX runs_project ON runs (project_id, id);
CREATE INDEX runs_project_status ON runs (project_id, status, id);
CREATE INDEX runs_flow_version ON runs (flow_version_id, id);
CREATE INDEX runs_owned ON runs (owner_id, id)
  WHERE finished_at IS NULL AND owner_id IS NOT NULL;
CREATE INDEX runs_unowned ON runs (id)
  WHERE finished_at IS NULL AND owner_id IS NULL AND wake_at IS NULL;
-- Runs that wait for a time: they have no owner, and nobody else has a time.
CREATE INDEX runs_parked ON runs (wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_cancel_requested ON runs (owner_id, id)
  WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL;

-- Append-only. The primary key is the fence: an old and a new owner can never both write seq n.
-- No foreign key to runs: see docs/adr/0003-journal-and-group-commit.md; run/delete_*.sql is the
-- one verb that deletes.
CREATE TABLE journal (
  run_id BLOB NOT NULL CHECK (length(run_id) = 16),
  seq INTEGER NOT NULL CHECK (seq >= 1),
  epoch INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  node TEXT,
  visit INTEGER NOT NULL,
  item INTEGER,
  attempt INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_id, seq)
) STRICT;

-- The newest folded state of a run; body is zstd.
CREATE TABLE snapshots (
  run_id BLOB NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL CHECK (seq >= 1),
  size INTEGER NOT NULL CHECK (size >= 0),
  body BLOB NOT NULL
) STRICT;

-- Large values, once each, under the blake3 hash of their text; body is zstd when that is smaller
-- than the text. `size` is that of the text, in bytes; `touched_at` is when it was last written.
CREATE TABLE blobs (
  hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
  size INTEGER NOT NULL CHECK (size >= 0),
  compressed INTEGER NOT NULL CHECK (compressed IN (0, 1)),
  body BLOB NOT NULL,
  touched_at INTEGER NOT NULL DEFAULT 0
) STRICT;

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

-- Documents. `version` is the number of the newest version, and what a writer must have read;
-- type, language, title and scores are that version's, for lists. `search_text` is its title and
-- text in lower case. `overall` is in tenths of a point.
CREATE TABLE documents (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  type TEXT NOT NULL,
  language TEXT NOT NULL,
  title TEXT NOT NULL,
  version INTEGER NOT NULL,
  overall INTEGER NOT NULL,
  words INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  search_text TEXT NOT NULL,
  CONSTRAINT documents_version CHECK (version >= 1),
  CONSTRAINT documents_overall CHECK (overall BETWEEN 0 AND 1000)
) STRICT;

CREATE INDEX documents_project ON documents (project_id, id);
CREATE INDEX documents_type ON documents (project_id, type, id);
CREATE INDEX documents_deleted ON documents (project_id, deleted_at, id);
CREATE INDEX documents_updated ON documents (project_id, updated_at, id);

-- Every write makes one; none is ever changed.
CREATE TABLE document_versions (
  document_id BLOB NOT NULL REFERENCES documents (id) ON DELETE CASCADE CHECK (length(document_id) = 16),
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  language TEXT NOT NULL,
  title TEXT NOT NULL,
  author TEXT,
  note TEXT,
  restored_from INTEGER,
  created_at INTEGER NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  bytes INTEGER NOT NULL,
  overall INTEGER NOT NULL,
  required TEXT NOT NULL,
  quality TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (document_id, version),
  CONSTRAINT document_versions_from_1 CHECK (version >= 1)
) STRICT;

-- Conversations. `last_seq` is the number of the newest message ever; without `retain_ms` messages
-- stay.
CREATE TABLE threads (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  title TEXT NOT NULL,
  metadata TEXT,
  last_seq INTEGER NOT NULL,
  retain_ms INTEGER,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CONSTRAINT threads_last_seq CHECK (last_seq >= 0),
  CONSTRAINT threads_retain_ms CHECK (retain_ms > 0)
) STRICT;

CREATE INDEX threads_project ON threads (project_id, id);

-- The primary key is the order of a conversation: without gaps, because the number is taken from the
-- thread's row in the transaction that writes the message.
CREATE TABLE messages (
  thread_id BLOB NOT NULL REFERENCES threads (id) ON DELETE CASCADE CHECK (length(thread_id) = 16),
  seq INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  project_id BLOB NOT NULL CHECK (length(project_id) = 16),
  role TEXT NOT NULL,
  name TEXT,
  run_id BLOB CHECK (length(run_id) = 16),
  created_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  content TEXT NOT NULL,
  metadata TEXT,
  search_text TEXT NOT NULL,
  PRIMARY KEY (thread_id, seq),
  CONSTRAINT messages_from_1 CHECK (seq >= 1),
  CONSTRAINT messages_role CHECK (role IN ('system', 'user', 'assistant', 'tool'))
) STRICT;

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE INDEX messages_project ON messages (project_id, id);
CREATE INDEX messages_age ON messages (thread_id, created_at);

-- What agents report about their work. `cost_nanos` is in billionths of the currency's unit, so that
-- sums are exact on every database.
CREATE TABLE agent_executions (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  agent TEXT NOT NULL,
  correlation_id TEXT,
  run_id BLOB CHECK (length(run_id) = 16),
  model TEXT,
  status TEXT NOT NULL,
  progress INTEGER NOT NULL,
  message TEXT,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_nanos INTEGER NOT NULL,
  currency TEXT,
  version INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER,
  duration_us INTEGER,
  input TEXT,
  output TEXT,
  error TEXT,
  CONSTRAINT agent_executions_status
    CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
  CONSTRAINT agent_executions_progress CHECK (progress BETWEEN 0 AND 100),
  CONSTRAINT agent_executions_counts
    CHECK (input_tokens >= 0 AND output_tokens >= 0 AND cost_nanos >= 0),
  CONSTRAINT agent_executions_finished_when_final
    CHECK ((finished_at IS NULL AND status = 'running') OR (finished_at IS NOT NULL AND status <> 'running')),
  CONSTRAINT agent_executions_cost_has_currency CHECK (cost_nanos = 0 OR currency IS NOT NULL)
) STRICT;

CREATE INDEX agent_executions_project ON agent_executions (project_id, id);
CREATE INDEX agent_executions_agent ON agent_executions (project_id, agent, id);
CREATE INDEX agent_executions_correlation ON agent_executions (project_id, correlation_id, id);
CREATE INDEX agent_executions_started ON agent_executions (project_id, started_at);

-- Archives of documents. Whoever builds one raises `attempt`, which fences an earlier builder.
CREATE TABLE exports (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  project_id BLOB NOT NULL REFERENCES projects (id) ON DELETE CASCADE CHECK (length(project_id) = 16),
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  claimed_at INTEGER,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  expires_at INTEGER,
  documents INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT,
  download_count INTEGER NOT NULL,
  selection TEXT NOT NULL,
  error TEXT,
  CONSTRAINT exports_status
    CHECK (status IN ('pending', 'running', 'ready', 'failed', 'expired'))
) STRICT;

CREATE INDEX exports_project ON exports (project_id, id);
CREATE INDEX exports_status ON exports (status, id);
CREATE INDEX exports_expiry ON exports (status, expires_at);

-- The bytes of an archive, in pieces of 256 KiB, so that any server can hand them out.
CREATE TABLE export_chunks (
  export_id BLOB NOT NULL REFERENCES exports (id) ON DELETE CASCADE CHECK (length(export_id) = 16),
  seq INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (export_id, seq)
) STRICT;
