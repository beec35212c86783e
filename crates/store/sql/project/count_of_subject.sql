-- How many projects somebody is a member of, deleted or not. A scan of projects, which is small;
-- members primary key by project.
SELECT COUNT(*) AS found FROM projects p
JOIN members m ON m.project_id = p.id AND m.subject = :subject
WHERE CASE WHEN p.deleted_at IS NULL THEN 0 ELSE 1 END = :deleted
