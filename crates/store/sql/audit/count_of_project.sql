-- How many entries a project's audit log has, up to a number. Index: audit_project.
SELECT COUNT(*) AS found FROM (
  SELECT id FROM audit WHERE project_id = :project ORDER BY id {{limit :limit}}
) a
