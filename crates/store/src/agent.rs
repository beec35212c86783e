//! What agents report about their work: begun, how far, ended; and what it took in time, tokens and
//! money. Money is whole billionths of a currency's unit: sums are exact on every database.
use runstone_db::{Row as DbRow, Value};
use runstone_model::{
    ids::{AgentExecutionId, ProjectId, RunId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, SqlStore, Walk, cells::Cells};

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AgentStatus {
    /// At work.
    Running,
    /// Ended well.
    Completed,
    /// Ended with an error.
    Failed,
    /// Given up.
    Cancelled,
}

impl AgentStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [
        Self::Running,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name in SQL and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// One piece of an agent's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentExecution {
    /// Its id.
    pub id: AgentExecutionId,
    /// Its project.
    pub project: ProjectId,
    /// The agent's name, at most 200 characters.
    pub agent: String,
    /// What belongs together, at most 200 characters.
    pub correlation_id: Option<String>,
    /// The run that it is part of.
    pub run: Option<RunId>,
    /// The model that it uses, at most 200 characters.
    pub model: Option<String>,
    /// How it stands.
    pub status: AgentStatus,
    /// How far it is, in percent.
    pub progress: u8,
    /// What it is doing, at most 1,000 characters.
    pub message: Option<String>,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// What it cost, in billionths of the currency's unit.
    pub cost_nanos: i64,
    /// The currency, three letters (ISO 4217).
    pub currency: Option<String>,
    /// Raised by every change.
    pub version: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was last heard of.
    pub updated_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it took, in microseconds.
    pub duration_us: Option<i64>,
    /// What it took, as JSON; left out in lists.
    pub input: Option<String>,
    /// What it gave, as JSON; left out in lists.
    pub output: Option<String>,
    /// Why it failed, as JSON; left out in lists.
    pub error: Option<String>,
}

/// Which executions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Of this agent.
    pub agent: Option<String>,
    /// That belong together.
    pub correlation_id: Option<String>,
    /// That stand like this.
    pub status: Option<AgentStatus>,
}

/// Which executions to sum up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsFilter {
    /// Of this agent.
    pub agent: Option<String>,
    /// Begun at this time or later.
    pub since: Timestamp,
    /// Begun before.
    pub until: Timestamp,
    /// The length of a period, in microseconds; periods are counted from 1970 in UTC.
    pub period_us: i64,
    /// At most so many rows.
    pub limit: u32,
}

/// An agent's executions that began in one period and were paid in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentMetrics {
    /// The agent.
    pub agent: String,
    /// When the period begins.
    pub period: Timestamp,
    /// The currency; none where nothing was paid.
    pub currency: Option<String>,
    /// Executions.
    pub executions: i64,
    /// Those that ended well.
    pub completed: i64,
    /// Those that ended with an error.
    pub failed: i64,
    /// Those given up.
    pub cancelled: i64,
    /// All durations together, in microseconds.
    pub total_us: Option<i64>,
    /// The longest.
    pub max_us: Option<i64>,
    /// The median (nearest rank).
    pub p50_us: Option<i64>,
    /// The 95th percentile (nearest rank).
    pub p95_us: Option<i64>,
    /// Tokens read.
    pub input_tokens: i64,
    /// Tokens written.
    pub output_tokens: i64,
    /// What they cost, in billionths of the currency's unit.
    pub cost_nanos: i64,
}

fn execution(row: DbRow, project: ProjectId) -> Result<AgentExecution, Error> {
    let mut cells = Cells::new("agent_executions", row);
    let id = AgentExecutionId(cells.next()?);
    let of = ProjectId(cells.next()?);
    if of != project {
        return Err(cells.corrupt("a row of another project"));
    }
    Ok(AgentExecution {
        id,
        project: of,
        agent: cells.next()?,
        correlation_id: cells.next()?,
        run: cells.next::<Option<Uuid>>()?.map(RunId),
        model: cells.next()?,
        status: {
            let name: String = cells.next()?;
            let unknown = || cells.corrupt(format!("no status is called `{name}`"));
            AgentStatus::from_name(&name).ok_or_else(unknown)?
        },
        progress: cells.next()?,
        message: cells.next()?,
        input_tokens: cells.next()?,
        output_tokens: cells.next()?,
        cost_nanos: cells.next()?,
        currency: cells.next()?,
        version: cells.next()?,
        started_at: Timestamp(cells.next()?),
        updated_at: Timestamp(cells.next()?),
        finished_at: cells.next::<Option<i64>>()?.map(Timestamp),
        duration_us: cells.next()?,
        input: cells.large()?,
        output: cells.large()?,
        error: cells.large()?,
    })
}

fn metrics(row: DbRow) -> Result<AgentMetrics, Error> {
    let mut cells = Cells::new("agent metrics", row);
    Ok(AgentMetrics {
        agent: cells.next()?,
        period: Timestamp(cells.next()?),
        currency: cells.next()?,
        executions: cells.next()?,
        completed: cells.next()?,
        failed: cells.next()?,
        cancelled: cells.next()?,
        total_us: cells.next()?,
        max_us: cells.next()?,
        p50_us: cells.next()?,
        p95_us: cells.next()?,
        input_tokens: cells.next()?,
        output_tokens: cells.next()?,
        cost_nanos: cells.next()?,
    })
}

/// What a change may change.
fn changing(execution: &AgentExecution) -> Vec<(&'static str, Value)> {
    vec![
        ("id", execution.id.0.into()),
        ("project", execution.project.0.into()),
        ("model", execution.model.as_deref().into()),
        ("status", execution.status.name().into()),
        ("progress", execution.progress.into()),
        ("message", execution.message.as_deref().into()),
        ("input_tokens", execution.input_tokens.into()),
        ("output_tokens", execution.output_tokens.into()),
        ("cost_nanos", execution.cost_nanos.into()),
        ("currency", execution.currency.as_deref().into()),
        ("updated_at", execution.updated_at.0.into()),
        ("finished_at", execution.finished_at.map(|at| at.0).into()),
        ("duration_us", execution.duration_us.into()),
        ("output", execution.output.as_deref().into()),
        ("error", execution.error.as_deref().into()),
    ]
}

impl SqlStore {
    /// Stores an execution; its version is 1.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn create_agent_execution(&self, execution: &AgentExecution) -> Result<(), Error> {
        let mut params = changing(execution);
        params.extend([
            ("agent", execution.agent.as_str().into()),
            ("correlation", execution.correlation_id.as_deref().into()),
            ("run", execution.run.map(|run| run.0).into()),
            ("started_at", execution.started_at.0.into()),
            ("input", execution.input.as_deref().into()),
        ]);
        self.database()
            .execute(&self.sql().agent_insert, &params)
            .await?;
        Ok(())
    }

    /// One execution, with what it took and gave.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn agent_execution(
        &self,
        project: ProjectId,
        id: AgentExecutionId,
    ) -> Result<Option<AgentExecution>, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        self.one(&self.sql().agent_get, &params, |row| {
            execution(row, project)
        })
        .await
    }

    /// Stores how far a running execution at version `expected` is, or how it ended; false when it has
    /// another version, has ended, or is not there. Name, start, input and what it belongs to stay.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn update_agent_execution(
        &self,
        execution: &AgentExecution,
        expected: i64,
    ) -> Result<bool, Error> {
        let mut params = changing(execution);
        params.push(("expected", expected.into()));
        Ok(self
            .database()
            .execute(&self.sql().agent_update, &params)
            .await?
            > 0)
    }

    /// A page of a project's executions.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn agent_executions(
        &self,
        project: ProjectId,
        filter: &AgentFilter,
        walk: &Walk<AgentExecutionId>,
    ) -> Result<Vec<AgentExecution>, Error> {
        let sql = self.sql();
        let mut params = vec![
            ("project", project.0.into()),
            ("status", filter.status.map_or("", AgentStatus::name).into()),
        ];
        let correlation = ("correlation", text(filter.correlation_id.as_deref()));
        let pages = match (&filter.agent, &filter.correlation_id) {
            (Some(agent), _) => {
                params.extend([("agent", agent.as_str().into()), correlation]);
                &sql.agent_page_of_agent
            }
            (None, Some(_)) => {
                params.push(correlation);
                &sql.agent_page_of_correlation
            }
            (None, None) => &sql.agent_page,
        };
        self.page(pages, walk, params, |row| execution(row, project))
            .await
    }

    /// How many executions a list has in all.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_agent_executions(
        &self,
        project: ProjectId,
        filter: &AgentFilter,
    ) -> Result<u64, Error> {
        let params = [
            ("project", project.0.into()),
            ("agent", text(filter.agent.as_deref())),
            ("status", filter.status.map_or("", AgentStatus::name).into()),
            ("correlation", text(filter.correlation_id.as_deref())),
        ];
        self.found(&self.sql().agent_count, &params).await
    }

    /// Executions summed up by agent, period and currency, oldest period first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn agent_metrics(
        &self,
        project: ProjectId,
        filter: &MetricsFilter,
    ) -> Result<Vec<AgentMetrics>, Error> {
        let params = [
            ("project", project.0.into()),
            ("agent", text(filter.agent.as_deref())),
            ("since", filter.since.0.into()),
            ("until", filter.until.0.into()),
            ("period_us", filter.period_us.max(1).into()),
            ("limit", filter.limit.into()),
        ];
        self.all(&self.sql().agent_metrics, &params, metrics).await
    }
}

/// What a filter compares with; empty: any.
fn text(value: Option<&str>) -> Value {
    value.unwrap_or_default().into()
}
