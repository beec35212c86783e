-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are uuid, JSON is text that was validated before it came
-- here. Ids are UUID v7, so the order of ids is the order of creation and the list indexes end in
-- the id.

CREATE TABLE projects (
  id UUID NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
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
CREATE INDEX runs_unowned ON runs (id) WHERE finished_at IS NULL AND owner_id IS NULL;
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
