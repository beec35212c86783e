-- What all migrations together make, for reading; a test holds it against them.
-- Times are UTC microseconds, UUIDs are 16 bytes, JSON is text that was validated before it came
-- here. Ids are UUID v7, so the order of ids is the order of creation and the list indexes end in
-- the id. Texts compare by their bytes, trailing spaces included; MySQL and MariaDB have that
-- collation under two names, and each reads its own of the two comments.

CREATE TABLE projects (
  id BINARY(16) NOT NULL PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
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
  KEY runs_owner (owner_id, finished_at, id),
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
