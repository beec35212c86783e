-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are 16 bytes, JSON is text that was validated before it came
-- here. Ids are UUID v7, so the order of ids is the order of creation and the list indexes end in
-- the id.

CREATE TABLE projects (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
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
CREATE INDEX runs_unowned ON runs (id) WHERE finished_at IS NULL AND owner_id IS NULL;
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
