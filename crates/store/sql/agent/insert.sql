-- An agent's work begins. Index: agent_executions primary key, projects primary key.
INSERT INTO agent_executions (id, project_id, agent, correlation_id, run_id, model, status, progress, message,
  input_tokens, output_tokens, cost_nanos, currency, version, started_at, updated_at, finished_at,
  duration_us, input, output, error)
VALUES (:id, :project, :agent, :correlation, :run, :model, :status, :progress, :message,
  :input_tokens, :output_tokens, :cost_nanos, :currency, 1, :started_at, :updated_at, :finished_at,
  :duration_us, :input, :output, :error)
