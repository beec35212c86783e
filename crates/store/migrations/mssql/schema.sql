-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are 16 bytes in the order of their text (UNIQUEIDENTIFIER sorts
-- another way), JSON is text that was validated before it came here. Ids are UUID v7, so the order
-- of ids is the order of creation and the list indexes end in the id. Texts are compared by code
-- point, whatever the database's own collation is. Every constraint has a name: the server would
-- make up another one in each database.

CREATE TABLE projects (
  id BINARY(16) NOT NULL,
  name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL CONSTRAINT projects_version DEFAULT 1,
  updated_at BIGINT NOT NULL CONSTRAINT projects_updated_at DEFAULT 0,
  deleted_at BIGINT NULL,
  description NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  settings NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  quotas NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT projects_pk PRIMARY KEY (id),
  CONSTRAINT projects_name UNIQUE (name)
);

-- The default project (ProjectId::DEFAULT), there from the first migration on.
INSERT INTO projects (id, name, created_at)
VALUES (0x00000000000070008000000000000001, 'default', 0);

CREATE TABLE flows (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  name NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT flows_pk PRIMARY KEY (id),
  CONSTRAINT flows_name UNIQUE (project_id, name),
  CONSTRAINT flows_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE TABLE flow_versions (
  id BINARY(16) NOT NULL,
  flow_id BINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  definition_hash VARBINARY(32) NOT NULL,
  created_at BIGINT NOT NULL,
  definition NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT flow_versions_pk PRIMARY KEY (id),
  CONSTRAINT flow_versions_version UNIQUE (flow_id, version),
  CONSTRAINT flow_versions_hash UNIQUE (flow_id, definition_hash),
  CONSTRAINT flow_versions_flow FOREIGN KEY (flow_id) REFERENCES flows (id) ON DELETE CASCADE,
  CONSTRAINT flow_versions_from_1 CHECK (version >= 1),
  CONSTRAINT flow_versions_hash_32 CHECK (DATALENGTH(definition_hash) = 32)
);

CREATE TABLE servers (
  id BINARY(16) NOT NULL,
  heartbeat_at BIGINT NOT NULL,
  CONSTRAINT servers_pk PRIMARY KEY (id)
);

-- owner_id has no foreign key: an owner without a row in servers is a dead one, and is claimed from.
CREATE TABLE runs (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  flow_version_id BINARY(16) NOT NULL,
  status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  owner_id BINARY(16) NULL,
  epoch BIGINT NOT NULL,
  steps BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  deadline BIGINT NULL,
  wake_at BIGINT NULL,
  cancel_requested_at BIGINT NULL,
  input NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  output NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  error NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT runs_pk PRIMARY KEY (id),
  CONSTRAINT runs_of_project FOREIGN KEY (project_id) REFERENCES projects (id),
  CONSTRAINT runs_of_version FOREIGN KEY (flow_version_id) REFERENCES flow_versions (id),
  CONSTRAINT runs_status CHECK (status IN
    ('pending', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled')),
  CONSTRAINT runs_epoch CHECK (epoch >= 0),
  CONSTRAINT runs_steps CHECK (steps >= 0),
  CONSTRAINT runs_finished_when_final CHECK (
    (finished_at IS NOT NULL AND status IN ('completed', 'failed', 'cancelled'))
    OR (finished_at IS NULL AND status NOT IN ('completed', 'failed', 'cancelled'))),
  CONSTRAINT runs_ended_without_owner CHECK (finished_at IS NULL OR owner_id IS NULL)
);

CREATE INDEX runs_project ON runs (project_id, id);
CREATE INDEX runs_project_status ON runs (project_id, status, id);
CREATE INDEX runs_flow_version ON runs (flow_version_id, id);
-- Stands for the partial indexes of the other databases: a parameter of a condition keeps SQL Server
-- from using them.
CREATE INDEX runs_owner ON runs (owner_id, finished_at, wake_at, id);

-- Append-only. The primary key is the fence: an old and a new owner can never both write seq n.
-- No foreign key to runs: see docs/adr/0003-journal-and-group-commit.md; run/delete_*.sql is the
-- one verb that deletes.
CREATE TABLE journal (
  run_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  node NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  visit BIGINT NOT NULL,
  item BIGINT NULL,
  attempt BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  duration_us BIGINT NOT NULL,
  body NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT journal_pk PRIMARY KEY (run_id, seq),
  CONSTRAINT journal_from_1 CHECK (seq >= 1)
);

-- The newest folded state of a run; body is zstd.
CREATE TABLE snapshots (
  run_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  size BIGINT NOT NULL,
  body VARBINARY(MAX) NOT NULL,
  CONSTRAINT snapshots_pk PRIMARY KEY (run_id),
  CONSTRAINT snapshots_run FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
  CONSTRAINT snapshots_from_1 CHECK (seq >= 1),
  CONSTRAINT snapshots_size CHECK (size >= 0)
);

-- Large values, once each, under the blake3 hash of their text; body is zstd when that is smaller
-- than the text. `size` is that of the text, in bytes.
CREATE TABLE blobs (
  hash NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  size BIGINT NOT NULL,
  compressed BIGINT NOT NULL,
  body VARBINARY(MAX) NOT NULL,
  touched_at BIGINT NOT NULL CONSTRAINT blobs_touched_at DEFAULT 0,
  CONSTRAINT blobs_pk PRIMARY KEY (hash),
  CONSTRAINT blobs_hash_64 CHECK (LEN(hash) = 64),
  CONSTRAINT blobs_size CHECK (size >= 0),
  CONSTRAINT blobs_compressed CHECK (compressed IN (0, 1))
);

-- Keys for programs. The secret is not here, only its blake3 hash; `old_hash` is taken until
-- `old_until`, after a rotation. Without a project a key is for the whole server.
CREATE TABLE api_keys (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NULL,
  role NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  name NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
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
  subject NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
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
  actor NVARCHAR(600) COLLATE Latin1_General_100_BIN2 NOT NULL,
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
  value NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  run_id BINARY(16) NOT NULL,
  CONSTRAINT run_labels_pk PRIMARY KEY NONCLUSTERED (project_id, name, value, run_id),
  CONSTRAINT run_labels_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX run_labels_run ON run_labels (run_id);

-- Documents. `version` is the number of the newest version, and what a writer must have read;
-- type, language, title and scores are that version's, for lists. `search_text` is its title and
-- text in lower case. `overall` is in tenths of a point.
CREATE TABLE documents (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  type NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  language NVARCHAR(70) COLLATE Latin1_General_100_BIN2 NOT NULL,
  title NVARCHAR(600) COLLATE Latin1_General_100_BIN2 NOT NULL,
  version BIGINT NOT NULL,
  overall BIGINT NOT NULL,
  words BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT NULL,
  search_text NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT documents_pk PRIMARY KEY (id),
  CONSTRAINT documents_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT documents_version CHECK (version >= 1),
  CONSTRAINT documents_overall CHECK (overall BETWEEN 0 AND 1000)
);

CREATE INDEX documents_project ON documents (project_id, id);
CREATE INDEX documents_type ON documents (project_id, type, id);
CREATE INDEX documents_deleted ON documents (project_id, deleted_at, id);
CREATE INDEX documents_updated ON documents (project_id, updated_at, id);

-- Every write makes one; none is ever changed.
CREATE TABLE document_versions (
  document_id BINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  type NVARCHAR(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  language NVARCHAR(70) COLLATE Latin1_General_100_BIN2 NOT NULL,
  title NVARCHAR(600) COLLATE Latin1_General_100_BIN2 NOT NULL,
  author NVARCHAR(600) COLLATE Latin1_General_100_BIN2 NULL,
  note NVARCHAR(1000) COLLATE Latin1_General_100_BIN2 NULL,
  restored_from BIGINT NULL,
  created_at BIGINT NOT NULL,
  hash BINARY(32) NOT NULL,
  bytes BIGINT NOT NULL,
  overall BIGINT NOT NULL,
  required NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  quality NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  body NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT document_versions_pk PRIMARY KEY (document_id, version),
  CONSTRAINT document_versions_of_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
  CONSTRAINT document_versions_from_1 CHECK (version >= 1)
);

-- Conversations. `last_seq` is the number of the newest message ever; without `retain_ms` messages
-- stay.
CREATE TABLE threads (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  title NVARCHAR(600) COLLATE Latin1_General_100_BIN2 NOT NULL,
  metadata NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  last_seq BIGINT NOT NULL,
  retain_ms BIGINT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  CONSTRAINT threads_pk PRIMARY KEY (id),
  CONSTRAINT threads_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT threads_last_seq CHECK (last_seq >= 0),
  CONSTRAINT threads_retain_ms CHECK (retain_ms > 0)
);

CREATE INDEX threads_project ON threads (project_id, id);

-- The primary key is the order of a conversation: without gaps, because the number is taken from the
-- thread's row in the transaction that writes the message.
CREATE TABLE messages (
  thread_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  role NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  name NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NULL,
  run_id BINARY(16) NULL,
  created_at BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  content NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  metadata NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  search_text NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT messages_pk PRIMARY KEY (thread_id, seq),
  CONSTRAINT messages_of_thread FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE,
  CONSTRAINT messages_from_1 CHECK (seq >= 1),
  CONSTRAINT messages_role CHECK (role IN ('system', 'user', 'assistant', 'tool'))
);

CREATE UNIQUE INDEX messages_id ON messages (id);
CREATE INDEX messages_project ON messages (project_id, id);
CREATE INDEX messages_age ON messages (thread_id, created_at);

-- What agents report about their work. `cost_nanos` is in billionths of the currency's unit, so that
-- sums are exact on every database.
CREATE TABLE agent_executions (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  agent NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  correlation_id NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  run_id BINARY(16) NULL,
  model NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NULL,
  status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  progress BIGINT NOT NULL,
  message NVARCHAR(2000) COLLATE Latin1_General_100_BIN2 NULL,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cost_nanos BIGINT NOT NULL,
  currency NVARCHAR(3) COLLATE Latin1_General_100_BIN2 NULL,
  version BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  duration_us BIGINT NULL,
  input NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  output NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  error NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT agent_executions_pk PRIMARY KEY (id),
  CONSTRAINT agent_executions_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
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
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  status NVARCHAR(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  attempt BIGINT NOT NULL,
  claimed_at BIGINT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  expires_at BIGINT NULL,
  documents BIGINT NOT NULL,
  chunks BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 NVARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
  download_count BIGINT NOT NULL,
  selection NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NOT NULL,
  error NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2 NULL,
  CONSTRAINT exports_pk PRIMARY KEY (id),
  CONSTRAINT exports_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT exports_status
    CHECK (status IN ('pending', 'running', 'ready', 'failed', 'expired'))
);

CREATE INDEX exports_project ON exports (project_id, id);
CREATE INDEX exports_status ON exports (status, id);
CREATE INDEX exports_expiry ON exports (status, expires_at);

-- The bytes of an archive, in pieces of 256 KiB, so that any server can hand them out.
CREATE TABLE export_chunks (
  export_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  body VARBINARY(MAX) NOT NULL,
  CONSTRAINT export_chunks_pk PRIMARY KEY (export_id, seq),
  CONSTRAINT export_chunks_of_export FOREIGN KEY (export_id) REFERENCES exports (id) ON DELETE CASCADE
);
