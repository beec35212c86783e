-- How many executions a list has. Index: agent_executions_project.
SELECT COUNT(*) AS found FROM agent_executions
WHERE project_id = :project AND (:agent = '' OR agent = :agent) AND (:status = '' OR status = :status)
  AND (:correlation = '' OR correlation_id = :correlation)
