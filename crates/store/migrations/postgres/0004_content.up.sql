-- Content: documents and their versions, threads and messages, agent executions, exports.

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
