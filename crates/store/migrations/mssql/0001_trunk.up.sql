-- The trunk: projects, flows and their versions, servers, runs, journal, snapshots, blobs.
-- Times are UTC microseconds, UUIDs are 16 bytes in the order of their text (UNIQUEIDENTIFIER sorts
-- another way), JSON is text that was validated before it came here. Ids are UUID v7, so the order
-- of ids is the order of creation and the list indexes end in the id. Texts are compared by code
-- point, whatever the database's own collation is. Every constraint has a name: the server would
-- make up another one in each database.

CREATE TABLE projects (
  id BINARY(16) NOT NULL,
  name NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at BIGINT NOT NULL,
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
CREATE INDEX runs_owner ON runs (owner_id, finished_at, id);

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
  CONSTRAINT blobs_pk PRIMARY KEY (hash),
  CONSTRAINT blobs_hash_64 CHECK (LEN(hash) = 64),
  CONSTRAINT blobs_size CHECK (size >= 0),
  CONSTRAINT blobs_compressed CHECK (compressed IN (0, 1))
);
