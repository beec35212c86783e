-- Content: documents and their versions, threads and messages, agent executions, exports.

-- Documents. `version` is the number of the newest version, and what a writer must have read;
-- type, language, title and scores are that version's, for lists. `search_text` is its title and
-- text in lower case. `overall` is in tenths of a point.
CREATE TABLE documents (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  type VARCHAR(50) NOT NULL,
  language VARCHAR(35) NOT NULL,
  title VARCHAR(300) NOT NULL,
  version BIGINT NOT NULL,
  overall BIGINT NOT NULL,
  words BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT,
  search_text LONGTEXT NOT NULL,
  PRIMARY KEY (id),
  KEY documents_project (project_id, id),
  KEY documents_type (project_id, type, id),
  KEY documents_deleted (project_id, deleted_at, id),
  CONSTRAINT documents_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT documents_version CHECK (version >= 1),
  CONSTRAINT documents_overall CHECK (overall BETWEEN 0 AND 1000)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Every write makes one; none is ever changed.
CREATE TABLE document_versions (
  document_id BINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  type VARCHAR(50) NOT NULL,
  language VARCHAR(35) NOT NULL,
  title VARCHAR(300) NOT NULL,
  author VARCHAR(300),
  note VARCHAR(500),
  restored_from BIGINT,
  created_at BIGINT NOT NULL,
  hash BINARY(32) NOT NULL,
  bytes BIGINT NOT NULL,
  overall BIGINT NOT NULL,
  required LONGTEXT NOT NULL,
  quality LONGTEXT NOT NULL,
  body LONGTEXT NOT NULL,
  PRIMARY KEY (document_id, version),
  CONSTRAINT document_versions_of_document FOREIGN KEY (document_id) REFERENCES documents (id) ON DELETE CASCADE,
  CONSTRAINT document_versions_from_1 CHECK (version >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Conversations. `last_seq` is the number of the newest message ever; without `retain_ms` messages
-- stay.
CREATE TABLE threads (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  title VARCHAR(300) NOT NULL,
  metadata LONGTEXT,
  last_seq BIGINT NOT NULL,
  retain_ms BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id),
  KEY threads_project (project_id, id),
  CONSTRAINT threads_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT threads_last_seq CHECK (last_seq >= 0),
  CONSTRAINT threads_retain_ms CHECK (retain_ms > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- The primary key is the order of a conversation: without gaps, because the number is taken from the
-- thread's row in the transaction that writes the message.
CREATE TABLE messages (
  thread_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  role VARCHAR(16) NOT NULL,
  name VARCHAR(100),
  run_id BINARY(16),
  created_at BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  content LONGTEXT NOT NULL,
  metadata LONGTEXT,
  search_text LONGTEXT NOT NULL,
  PRIMARY KEY (thread_id, seq),
  UNIQUE KEY messages_id (id),
  KEY messages_project (project_id, id),
  KEY messages_age (thread_id, created_at),
  CONSTRAINT messages_of_thread FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE CASCADE,
  CONSTRAINT messages_from_1 CHECK (seq >= 1),
  CONSTRAINT messages_role CHECK (role IN ('system', 'user', 'assistant', 'tool'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- What agents report about their work. `cost_nanos` is in billionths of the currency's unit, so that
-- sums are exact on every database.
CREATE TABLE agent_executions (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  agent VARCHAR(200) NOT NULL,
  correlation_id VARCHAR(200),
  run_id BINARY(16),
  model VARCHAR(200),
  status VARCHAR(16) NOT NULL,
  progress BIGINT NOT NULL,
  message VARCHAR(1000),
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cost_nanos BIGINT NOT NULL,
  currency VARCHAR(3),
  version BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT,
  duration_us BIGINT,
  input LONGTEXT,
  output LONGTEXT,
  error LONGTEXT,
  PRIMARY KEY (id),
  KEY agent_executions_project (project_id, id),
  KEY agent_executions_agent (project_id, agent, id),
  KEY agent_executions_correlation (project_id, correlation_id, id),
  KEY agent_executions_started (project_id, started_at),
  CONSTRAINT agent_executions_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT agent_executions_status
    CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
  CONSTRAINT agent_executions_progress CHECK (progress BETWEEN 0 AND 100),
  CONSTRAINT agent_executions_counts
    CHECK (input_tokens >= 0 AND output_tokens >= 0 AND cost_nanos >= 0),
  CONSTRAINT agent_executions_finished_when_final
    CHECK ((finished_at IS NULL AND status = 'running') OR (finished_at IS NOT NULL AND status <> 'running')),
  CONSTRAINT agent_executions_cost_has_currency CHECK (cost_nanos = 0 OR currency IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Archives of documents. Whoever builds one raises `attempt`, which fences an earlier builder.
CREATE TABLE exports (
  id BINARY(16) NOT NULL,
  project_id BINARY(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  attempt BIGINT NOT NULL,
  claimed_at BIGINT,
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  expires_at BIGINT,
  documents BIGINT NOT NULL,
  chunks BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  sha256 VARCHAR(64),
  download_count BIGINT NOT NULL,
  selection LONGTEXT NOT NULL,
  error LONGTEXT,
  PRIMARY KEY (id),
  KEY exports_project (project_id, id),
  KEY exports_status (status, id),
  KEY exports_expiry (status, expires_at),
  CONSTRAINT exports_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT exports_status
    CHECK (status IN ('pending', 'running', 'ready', 'failed', 'expired'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- The bytes of an archive, in pieces of 256 KiB, so that any server can hand them out.
CREATE TABLE export_chunks (
  export_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  body LONGBLOB NOT NULL,
  PRIMARY KEY (export_id, seq),
  CONSTRAINT export_chunks_of_export FOREIGN KEY (export_id) REFERENCES exports (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;
