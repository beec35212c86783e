-- Makes somebody a member, or changes the role. Index: members primary key.
INSERT INTO members (project_id, subject, role, created_at)
VALUES (:project, :subject, :role, :now)
{{upsert project_id, subject: role}}
