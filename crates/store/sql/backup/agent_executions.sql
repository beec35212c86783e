-- A page of agent executions. Index: agent_executions primary key.
SELECT id, project_id, agent, correlation_id, run_id, model, status, progress, message,
       input_tokens, output_tokens, cost_nanos, currency, version, started_at, updated_at,
       finished_at, duration_us, input, output, error
FROM agent_executions
WHERE id > :id
ORDER BY id {{limit :limit}}
