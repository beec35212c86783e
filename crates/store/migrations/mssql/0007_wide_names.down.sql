-- As before. A name that has no room then is refused by the database, and nothing is changed.
ALTER TABLE projects ADD wide NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT projects_wide DEFAULT '';
UPDATE projects SET wide = name;
ALTER TABLE projects DROP CONSTRAINT IF EXISTS projects_wide;
ALTER TABLE projects DROP CONSTRAINT projects_name;
ALTER TABLE projects DROP COLUMN name;
EXEC sp_rename 'projects.wide', 'name', 'COLUMN';
ALTER TABLE projects ADD CONSTRAINT projects_name UNIQUE (name);

ALTER TABLE api_keys ADD wide NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT api_keys_wide DEFAULT '';
UPDATE api_keys SET wide = name;
ALTER TABLE api_keys DROP CONSTRAINT IF EXISTS api_keys_wide;
ALTER TABLE api_keys DROP COLUMN name;
EXEC sp_rename 'api_keys.wide', 'name', 'COLUMN';

ALTER TABLE members ADD wide NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT members_wide DEFAULT '';
UPDATE members SET wide = subject;
ALTER TABLE members DROP CONSTRAINT IF EXISTS members_wide;
ALTER TABLE members DROP CONSTRAINT members_pk;
ALTER TABLE members DROP COLUMN subject;
EXEC sp_rename 'members.wide', 'subject', 'COLUMN';
ALTER TABLE members ADD CONSTRAINT members_pk PRIMARY KEY (project_id, subject);

ALTER TABLE run_labels ADD wide NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT run_labels_wide DEFAULT '';
UPDATE run_labels SET wide = value;
ALTER TABLE run_labels DROP CONSTRAINT IF EXISTS run_labels_wide;
ALTER TABLE run_labels DROP CONSTRAINT run_labels_pk;
ALTER TABLE run_labels DROP COLUMN value;
EXEC sp_rename 'run_labels.wide', 'value', 'COLUMN';
ALTER TABLE run_labels ADD CONSTRAINT run_labels_pk PRIMARY KEY (project_id, name, value, run_id);

ALTER TABLE audit ADD wide NVARCHAR(300) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT audit_wide DEFAULT '';
UPDATE audit SET wide = actor;
ALTER TABLE audit DROP CONSTRAINT IF EXISTS audit_wide;
ALTER TABLE audit DROP COLUMN actor;
EXEC sp_rename 'audit.wide', 'actor', 'COLUMN';
