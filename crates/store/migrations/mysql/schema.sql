-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are 16 bytes, JSON is text that was validated before it came
-- here. Ids are UUID v7, so the order of ids is the order of creation and the list indexes end in
-- the id. Texts compare by their bytes, trailing spaces included; MySQL and MariaDB have that
-- collation under two names, and each reads its own of the two comments.

CREATE TABLE projects (
  id BINARY(16) NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  updated_at BIGINT NOT NULL DEFAULT 0,
  deleted_at BIGINT,
  description LONGTEXT,
  settings LONGTEXT,
  quotas LONGTEXT,
  UNIQUE KEY projects_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- The default project (ProjectId::DEFAULT), there from the first migration on.
INSERT INTO projects (id, name, created_at)
VALUES (x'00000000000070008000000000000001', 'default', 0);

CREATE TABLE flows (
  id BINARY(16) NOT NULL PRIMARY KEY,
  project_id BINARY(16) NOT NULL,
  name VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE KEY flows_name (project_id, name),
  CONSTRAINT flows_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

CREATE TABLE flow_versions (
  id BINARY(16) NOT NULL PRIMARY KEY,
  flow_id BINARY(16) NOT NULL,
  version BIGINT NOT NULL,
  definition_hash BINARY(32) NOT NULL,
  created_at BIGINT NOT NULL,
  definition LONGTEXT NOT NULL,
  UNIQUE KEY flow_versions_version (flow_id, version),
  UNIQUE KEY flow_versions_hash (flow_id, definition_hash),
  CONSTRAINT flow_versions_flow FOREIGN KEY (flow_id) REFERENCES flows (id) ON DELETE CASCADE,
  CONSTRAINT flow_versions_from_1 CHECK (version >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

CREATE TABLE servers (
  id BINARY(16) NOT NULL PRIMARY KEY,
  heartbeat_at BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- owner_id has no foreign key: an owner without a row in servers is a dead one, and is claimed from.
-- There are no partial indexes: runs_owner serves what is asked of unfinished runs by owner.
CREATE TABLE runs (
  id BINARY(16) NOT NULL PRIMARY KEY,
  project_id BINARY(16) NOT NULL,
  flow_version_id BINARY(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  owner_id BINARY(16),
  epoch BIGINT NOT NULL,
  steps BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  deadline BIGINT,
  wake_at BIGINT,
  cancel_requested_at BIGINT,
  input LONGTEXT NOT NULL,
  output LONGTEXT,
  error LONGTEXT,
  KEY runs_project (project_id, id),
  KEY runs_project_status (project_id, status, id),
  KEY runs_flow_version (flow_version_id, id),
  KEY runs_owner (owner_id, finished_at, wake_at, id),
  CONSTRAINT runs_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE RESTRICT,
  CONSTRAINT runs_of_version FOREIGN KEY (flow_version_id) REFERENCES flow_versions (id) ON DELETE RESTRICT,
  CONSTRAINT runs_status CHECK (status IN
    ('pending', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled')),
  CONSTRAINT runs_epoch CHECK (epoch >= 0),
  CONSTRAINT runs_steps CHECK (steps >= 0),
  CONSTRAINT runs_finished_when_final
    CHECK ((finished_at IS NOT NULL) = (status IN ('completed', 'failed', 'cancelled'))),
  CONSTRAINT runs_ended_without_owner CHECK (finished_at IS NULL OR owner_id IS NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Append-only. The primary key is the fence: an old and a new owner can never both write seq n.
-- No foreign key to runs: see docs/adr/0003-journal-and-group-commit.md; run/delete_*.sql is the
-- one verb that deletes.
CREATE TABLE journal (
  run_id BINARY(16) NOT NULL,
  seq BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  node VARCHAR(255),
  visit BIGINT NOT NULL,
  item BIGINT,
  attempt BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  duration_us BIGINT NOT NULL,
  body LONGTEXT NOT NULL,
  PRIMARY KEY (run_id, seq),
  CONSTRAINT journal_from_1 CHECK (seq >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- The newest folded state of a run; body is zstd.
CREATE TABLE snapshots (
  run_id BINARY(16) NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  size BIGINT NOT NULL,
  body LONGBLOB NOT NULL,
  CONSTRAINT snapshots_run FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
  CONSTRAINT snapshots_from_1 CHECK (seq >= 1),
  CONSTRAINT snapshots_size CHECK (size >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Large values, once each, under the blake3 hash of their text; body is zstd when that is smaller
-- than the text. `size` is that of the text, in bytes; `touched_at` is when it was last written.
CREATE TABLE blobs (
  hash VARCHAR(64) NOT NULL PRIMARY KEY,
  size BIGINT NOT NULL,
  compressed BIGINT NOT NULL,
  body LONGBLOB NOT NULL,
  touched_at BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT blobs_hash CHECK (LENGTH(hash) = 64),
  CONSTRAINT blobs_size CHECK (size >= 0),
  CONSTRAINT blobs_compressed CHECK (compressed IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Keys for programs. The secret is not here, only its blake3 hash; `old_hash` is taken until
-- `old_until`, after a rotation. Without a project a key is for the whole server.
CREATE TABLE api_keys (
  id BINARY(16) NOT NULL,
  project_id BINARY(16),
  role VARCHAR(16) NOT NULL,
  name VARCHAR(255) NOT NULL,
  secret_hash BINARY(32) NOT NULL,
  old_hash BINARY(32),
  old_until BIGINT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (id),
  KEY api_keys_project (project_id, id),
  CONSTRAINT api_keys_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT api_keys_role CHECK (role IN ('viewer', 'editor', 'owner', 'admin'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- What people may do in a project, by the subject of their token.
CREATE TABLE members (
  project_id BINARY(16) NOT NULL,
  subject VARCHAR(255) NOT NULL,
  role VARCHAR(16) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, subject),
  CONSTRAINT members_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE,
  CONSTRAINT members_role CHECK (role IN ('viewer', 'editor', 'owner'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- What was written through the API, and what was refused. It outlives the projects it tells of.
CREATE TABLE audit (
  id BINARY(16) NOT NULL,
  at BIGINT NOT NULL,
  project_id BINARY(16),
  actor VARCHAR(300) NOT NULL,
  action VARCHAR(100) NOT NULL,
  target VARCHAR(1000) NOT NULL,
  status BIGINT NOT NULL,
  trace_id VARCHAR(64) NOT NULL,
  address VARCHAR(64) NOT NULL,
  PRIMARY KEY (id),
  KEY audit_project (project_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Starts by their idempotency key: the second one with the same key finds the first one's run.
CREATE TABLE idempotency (
  project_id BINARY(16) NOT NULL,
  idem_key VARCHAR(200) NOT NULL,
  request_hash BINARY(32) NOT NULL,
  run_id BINARY(16) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, idem_key),
  KEY idempotency_age (created_at),
  CONSTRAINT idempotency_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

-- Labels of runs. A label may be there before its run is, and without one when the start failed.
CREATE TABLE run_labels (
  project_id BINARY(16) NOT NULL,
  name VARCHAR(64) NOT NULL,
  value VARCHAR(200) NOT NULL,
  run_id BINARY(16) NOT NULL,
  PRIMARY KEY (project_id, name, value, run_id),
  KEY run_labels_run (run_id),
  CONSTRAINT run_labels_of_project FOREIGN KEY (project_id) REFERENCES projects (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4
  /*!80017 COLLATE utf8mb4_0900_bin */ /*M!100202 COLLATE utf8mb4_nopad_bin */;

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
  KEY documents_updated (project_id, updated_at, id),
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
