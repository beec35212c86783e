//! What agents report about their work, and its sums.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An amount of money, exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// A decimal number with at most nine digits before and after the point.
    #[schema(max_length = 19, pattern = "^[0-9]{1,9}([.][0-9]{1,9})?$")]
    pub amount: String,
    /// ISO 4217, as in `EUR`.
    #[schema(min_length = 3, max_length = 3, pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// One piece of an agent's work.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgentExecution {
    /// Its id.
    pub id: Uuid,
    /// The agent's name.
    pub agent: String,
    /// What belongs together.
    pub correlation_id: Option<String>,
    /// The run that it is part of.
    pub run_id: Option<Uuid>,
    /// The model that it uses.
    pub model: Option<String>,
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// How far it is, in percent.
    pub progress: u8,
    /// What it is doing.
    pub message: Option<String>,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// What it cost.
    pub cost: Option<Money>,
    /// Raised by every change; also the ETag.
    pub version: i64,
    /// When it began, UTC.
    pub started_at: String,
    /// When it was last heard of, UTC.
    pub updated_at: String,
    /// When it ended, UTC.
    pub finished_at: Option<String>,
    /// How long it took.
    pub duration_ms: Option<f64>,
    /// What it took; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// What it gave; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it failed; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
}

/// An agent's work begins.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgentExecution {
    /// The agent's name.
    #[schema(min_length = 1, max_length = 200)]
    pub agent: String,
    /// What belongs together.
    #[schema(min_length = 1, max_length = 200)]
    pub correlation_id: Option<String>,
    /// The run that it is part of.
    pub run_id: Option<Uuid>,
    /// The model that it uses.
    #[schema(min_length = 1, max_length = 200)]
    pub model: Option<String>,
    /// What it is doing.
    #[schema(max_length = 1000)]
    pub message: Option<String>,
    /// What it took.
    pub input: Option<Value>,
}

/// How far an agent is, or how its work ended. What is not given stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAgentExecution {
    /// `completed`, `failed` or `cancelled`: it has ended.
    #[schema(pattern = "^(completed|failed|cancelled)$")]
    pub status: Option<String>,
    /// How far it is, in percent; 100 when it ends well.
    #[schema(minimum = 0, maximum = 100)]
    pub progress: Option<u8>,
    /// What it is doing.
    #[schema(max_length = 1000)]
    pub message: Option<String>,
    /// The model that it uses.
    #[schema(min_length = 1, max_length = 200)]
    pub model: Option<String>,
    /// Tokens read so far, in all.
    #[schema(minimum = 0, maximum = 1000000000000_i64)]
    pub input_tokens: Option<i64>,
    /// Tokens written so far, in all.
    #[schema(minimum = 0, maximum = 1000000000000_i64)]
    pub output_tokens: Option<i64>,
    /// What it cost so far, in all.
    #[schema(value_type = Money, required = false)]
    pub cost: Option<Money>,
    /// What it gave.
    pub output: Option<Value>,
    /// Why it failed.
    pub error: Option<Value>,
}

/// Which executions.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListAgentExecutions {
    /// Of this agent.
    #[param(min_length = 1, max_length = 200)]
    pub agent: Option<String>,
    /// That belong together.
    #[param(min_length = 1, max_length = 200)]
    pub correlation_id: Option<String>,
    /// That stand like this.
    #[param(pattern = "^(running|completed|failed|cancelled)$")]
    pub status: Option<String>,
}

/// Which executions to sum up.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SumAgents {
    /// Of this agent.
    #[param(min_length = 1, max_length = 200)]
    pub agent: Option<String>,
    /// Begun then or later, RFC 3339; 30 days ago when not given.
    #[param(max_length = 64)]
    pub since: Option<String>,
    /// Begun before, RFC 3339; now when not given.
    #[param(max_length = 64)]
    pub until: Option<String>,
    /// `hour` or `day` in UTC; `day` when not given.
    #[param(pattern = "^(hour|day)$")]
    pub period: Option<String>,
}

/// Sums, oldest period first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgentMetrics {
    /// From when on executions are counted, UTC.
    pub since: String,
    /// Until when, UTC.
    pub until: String,
    /// By agent, period and currency.
    pub items: Vec<AgentPeriod>,
    /// There is more than 10,000 sums: ask for less.
    pub truncated: bool,
    /// When this was computed, UTC; `Age` says how long ago.
    pub as_of: String,
}

/// An agent's executions that began in one period and were paid in one currency.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AgentPeriod {
    /// The agent.
    pub agent: String,
    /// When the period begins, UTC.
    pub period: String,
    /// Executions.
    pub executions: i64,
    /// At work still.
    pub running: i64,
    /// Ended well.
    pub completed: i64,
    /// Ended with an error.
    pub failed: i64,
    /// Given up.
    pub cancelled: i64,
    /// The mean duration of those that ended.
    pub mean_ms: Option<f64>,
    /// Their median duration (nearest rank).
    pub p50_ms: Option<f64>,
    /// The 95th percentile (nearest rank).
    pub p95_ms: Option<f64>,
    /// The longest.
    pub max_ms: Option<f64>,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// What they cost together; none where nothing was paid.
    pub cost: Option<SummedMoney>,
}

/// A sum of money, exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SummedMoney {
    /// A decimal number.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}
