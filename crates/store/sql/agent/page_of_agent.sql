-- A page of an agent's executions, either way. Index: agent_executions_agent.
SELECT id, project_id, agent, correlation_id, run_id, model, status, progress, message, input_tokens,
       output_tokens, cost_nanos, currency, version, started_at, updated_at, finished_at, duration_us
FROM agent_executions
WHERE project_id = :project AND agent = :agent AND {{beyond id :edge}} AND (:status = '' OR status = :status)
  AND (:correlation = '' OR correlation_id = :correlation)
ORDER BY id {{along}} {{limit :limit}}
