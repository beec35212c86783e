-- The service: what projects carry besides a name, keys, members, audit, idempotency, labels.
ALTER TABLE projects ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN deleted_at BIGINT;
ALTER TABLE projects ADD COLUMN description LONGTEXT;
ALTER TABLE projects ADD COLUMN settings LONGTEXT;
ALTER TABLE projects ADD COLUMN quotas LONGTEXT;

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
