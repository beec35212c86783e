-- The trunk.

CREATE TABLE projects (
  id BINARY(16) NOT NULL PRIMARY KEY,
  name NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL UNIQUE,
  created_at BIGINT NOT NULL
);

-- The default project (ProjectId::DEFAULT), there from the first migration on.
INSERT INTO projects (id, name, created_at)
VALUES (0x00000000000070008000000000000001, 'default', 0);
