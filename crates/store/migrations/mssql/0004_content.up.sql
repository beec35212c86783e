-- Content: documents and their versions, threads and messages, agent executions, exports.

-- Lengths of texts are twice those of the other databases: a character may take two units here.

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
