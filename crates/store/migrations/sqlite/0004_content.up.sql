-- Content: documents and their versions, threads and messages, agent executions, exports.

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
