-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are uuid, JSON is text that was validated before it came
-- here. Ids are UUID v7, so the order of ids is the order of creation and the list indexes end in
-- the id.

CREATE TABLE projects (
  id UUID NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  updated_at BIGINT NOT NULL DEFAULT 0,
  deleted_at BIGINT,
  description TEXT,
  settings TEXT,
  quotas TEXT
);

-- The default project (ProjectId::DEFAULT), there from the first migration on.
INSERT INTO projects (id, name, created_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'default', 0);

CREATE TABLE flows (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (project_id, name)
);

CREATE TABLE flow_versions (
  id UUID NOT NULL PRIMARY KEY,
  flow_id UUID NOT NULL REFERENCES flows (id) ON DELETE CASCADE,
  version BIGINT NOT NULL CHECK (version >= 1),
  definition_hash BYTEA NOT NULL CHECK (octet_length(definition_hash) = 32),
  created_at BIGINT NOT NULL,
  definition TEXT NOT NULL,
  UNIQUE (flow_id, version),
  UNIQUE (flow_id, definition_hash)
);

CREATE TABLE servers (
  id UUID NOT NULL PRIMARY KEY,
  heartbeat_at BIGINT NOT NULL
);

-- owner_id has no foreign key: an owner without a row in servers is a dead one, and is claimed from.
CREATE TABLE runs (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE RESTRICT,
  flow_version_id UUID NOT NULL REFERENCES flow_versions (id) ON DELETE RESTRICT,
  status TEXT NOT NULL CHECK (status IN
    ('pending', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled')),
  owner_id UUID,
  epoch BIGINT NOT NULL CHECK (epoch >= 0),
  steps BIGINT NOT NULL CHECK (steps >= 0),
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  deadline BIGINT,
  wake_at BIGINT,
  cancel_requested_at BIGINT,
  input TEXT NOT NULL,
  output TEXT,
  error TEXT,
  CONSTRAINT runs_finished_when_final
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
  CONSTRAINT runs_ended_without_owner CHECK (finished_at IS NULL OR owner_id IS NULL)
);

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
  run_id UUID NOT NULL,
  seq BIGINT NOT NULL CHECK (seq >= 1),
  epoch BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  node TEXT,
  visit BIGINT NOT NULL,
  item BIGINT,
  attempt BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  duration_us BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_id, seq)
);

-- lz4 stores bodies of 8 KiB three times as fast as PostgreSQL's own compression, and as small. Not
-- every server was built with it: then its own stays.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE journal ALTER COLUMN body SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN
  NULL;
END
$$;

-- The newest folded state of a run; body is zstd.
CREATE TABLE snapshots (
  run_id UUID NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL CHECK (seq >= 1),
  size BIGINT NOT NULL CHECK (size >= 0),
  body BYTEA NOT NULL
);

-- Already compressed.
ALTER TABLE snapshots ALTER COLUMN body SET STORAGE EXTERNAL;

-- Large values, once each, under the blake3 hash of their text; body is zstd when that is smaller
-- than the text. `size` is that of the text, in bytes; `touched_at` is when it was last written.
CREATE TABLE blobs (
  hash TEXT NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
  size BIGINT NOT NULL CHECK (size >= 0),
  compressed BIGINT NOT NULL CHECK (compressed IN (0, 1)),
  body BYTEA NOT NULL,
  touched_at BIGINT NOT NULL DEFAULT 0
);

-- Already compressed.
ALTER TABLE blobs ALTER COLUMN body SET STORAGE EXTERNAL;

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

-- Documents. `version` is the number of the newest version, and what a writer must have read;
-- type, language, title and scores are that version's, for lists. `search_text` is its title and
-- text in lower case. `overall` is in tenths of a point.
CREATE TABLE documents (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  type TEXT NOT NULL,
  language TEXT NOT NULL,
  title TEXT NOT NULL,
  version BIGINT NOT NULL,
  overall BIGINT NOT NULL,
  words BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  search_text TEXT NOT NULL,
  CONSTRAINT documents_version CHECK (version >= 1),
  CONSTRAINT documents_overall CHECK (overall BETWEEN 0 AND 1000)
);

CREATE INDEX documents_project ON documents (project_id, id);
CREATE INDEX documents_type ON documents (project_id, type, id);
CREATE INDEX documents_deleted ON documents (project_id, deleted_at, id);
CREATE INDEX documents_updated ON documents (project_id, updated_at, id);

-- Every write makes one; none is ever changed.
CREATE TABLE document_versions (
  document_id UUID NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  type TEXT NOT NULL,
  language TEXT NOT NULL,
  title TEXT NOT NULL,
  author TEXT,
  note TEXT,
  restored_from BIGINT,
  created_at BIGINT NOT NULL,
  hash BYTEA NOT NULL CHECK (octet_length(hash) = 32),
  bytes BIGINT NOT NULL,
  overall BIGINT NOT NULL,
  required TEXT NOT NULL,
  quality TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (document_id, version),
  CONSTRAINT document_versions_from_1 CHECK (version >= 1)
);

-- Conversations. `last_seq` is the number of the newest message ever; without `retain_ms` messages
-- stay.
CREATE TABLE threads (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  metadata TEXT,
  last_seq BIGINT NOT NULL,
  retain_ms BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT threads_last_seq CHECK (last_seq >= 0),
  CONSTRAINT threads_retain_ms CHECK (retain_ms > 0)
);

CREATE INDEX threads_project ON threads (project_id, id);

-- The primary key is the order of a conversation: without gaps, because the number is taken from the
-- thread's row in the transaction that writes the message.
CREATE TABLE messages (
  thread_id UUID NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  id UUID NOT NULL,
  project_id UUID NOT NULL,
  role TEXT NOT NULL,
  name TEXT,
  run_id UUID,
  created_at BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  content TEXT NOT NULL,
  metadata TEXT,
  search_text TEXT NOT NULL,
  PRIMARY KEY (thread_id, seq),
  CONSTRAINT messages_from_1 CHECK (seq >= 1),
  CONSTRAINT messages_role CHECK (role IN ('system', 'user', 'assistant', 'tool'))
);

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE INDEX messages_project ON messages (project_id, id);
CREATE INDEX messages_age ON messages (thread_id, created_at);

-- What agents report about their work. `cost_nanos` is in billionths of the currency's unit, so that
-- sums are exact on every database.
CREATE TABLE agent_executions (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  agent TEXT NOT NULL,
  correlation_id TEXT,
  run_id UUID,
  model TEXT,
  status TEXT NOT NULL,
  progress BIGINT NOT NULL,
  message TEXT,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cost_nanos BIGINT NOT NULL,
  currency TEXT,
  version BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT,
  duration_us BIGINT,
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
);

CREATE INDEX agent_executions_project ON agent_executions (project_id, id);
CREATE INDEX agent_executions_agent ON agent_executions (project_id, agent, id);
CREATE INDEX agent_executions_correlation ON agent_executions (project_id, correlation_id, id);
CREATE INDEX agent_executions_started ON agent_executions (project_id, started_at);

-- Archives of documents. Whoever builds one raises `attempt`, which fences an earlier builder.
CREATE TABLE exports (
  id UUID NOT NULL PRIMARY KEY,
  project_id UUID NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  claimed_at BIGINT,
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  expires_at BIGINT,
  documents BIGINT NOT NULL,
  chunks BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 TEXT,
  download_count BIGINT NOT NULL,
  selection TEXT NOT NULL,
  error TEXT,
  CONSTRAINT exports_status
    CHECK (status IN ('pending', 'running', 'ready', 'failed', 'expired'))
);

CREATE INDEX exports_project ON exports (project_id, id);
CREATE INDEX exports_status ON exports (status, id);
CREATE INDEX exports_expiry ON exports (status, expires_at);

-- The bytes of an archive, in pieces of 256 KiB, so that any server can hand them out.
CREATE TABLE export_chunks (
  export_id UUID NOT NULL REFERENCES exports (id) ON DELETE CASCADE,
  seq BIGINT NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY (export_id, seq)
);

-- Already compressed.
ALTER TABLE export_chunks ALTER COLUMN body SET STORAGE EXTERNAL;
