-- How far an execution is, if it runs still and is as the writer has read it.
-- Index: agent_executions primary key.
UPDATE agent_executions
SET model = :model, status = :status, progress = :progress, message = :message,
    input_tokens = :input_tokens, output_tokens = :output_tokens, cost_nanos = :cost_nanos,
    currency = :currency, version = version + 1, updated_at = :updated_at,
    finished_at = :finished_at, duration_us = :duration_us, output = :output, error = :error
WHERE id = :id AND project_id = :project AND version = :expected AND status = 'running'
