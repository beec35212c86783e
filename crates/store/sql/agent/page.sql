-- A page of a project's executions without what they took and gave, either way.
-- Index: agent_executions_project.
SELECT id, project_id, agent, correlation_id, run_id, model, status, progress, message, input_tokens,
       output_tokens, cost_nanos, currency, version, started_at, updated_at, finished_at, duration_us
FROM agent_executions
WHERE project_id = :project AND {{beyond id :edge}} AND (:status = '' OR status = :status)
ORDER BY id {{along}} {{limit :limit}}
