-- A new thread without messages. Index: threads primary key, projects primary key.
INSERT INTO threads (id, project_id, title, metadata, last_seq, retain_ms, version, created_at, updated_at)
VALUES (:id, :project, :title, :metadata, 0, :retain_ms, 1, :now, :now)
