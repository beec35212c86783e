-- Executions by agent, period and currency, with the nearest-rank percentiles of their durations.
-- Index: agent_executions_started.
SELECT agent, period, currency, COUNT(*) AS executions,
       SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END) AS completed,
       SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS failed,
       SUM(CASE WHEN status = 'cancelled' THEN 1 ELSE 0 END) AS cancelled,
       SUM(duration_us) AS total_us, MAX(duration_us) AS max_us,
       MIN(CASE WHEN place * 2 >= finished THEN duration_us END) AS p50_us,
       MIN(CASE WHEN place * 100 >= finished * 95 THEN duration_us END) AS p95_us,
       SUM(input_tokens) AS input_tokens, SUM(output_tokens) AS output_tokens,
       SUM(cost_nanos) AS cost_nanos
FROM (
  SELECT agent, period, currency, status, duration_us, input_tokens, output_tokens, cost_nanos,
         ROW_NUMBER() OVER (PARTITION BY agent, period, currency, CASE WHEN duration_us IS NULL THEN 1 ELSE 0 END
                            ORDER BY duration_us) AS place,
         COUNT(duration_us) OVER (PARTITION BY agent, period, currency) AS finished
  FROM (
    SELECT agent, started_at - started_at % :period_us AS period, currency, status, duration_us,
           input_tokens, output_tokens, cost_nanos
    FROM agent_executions
    WHERE project_id = :project AND started_at >= :since AND started_at < :until
      AND (:agent = '' OR agent = :agent)
  ) AS each_one
) AS ranked
GROUP BY agent, period, currency
ORDER BY period, agent, currency {{limit :limit}}
