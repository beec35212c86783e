//! Sums of agent executions, as they travel.
use axum::extract::State;
use runstone_api::agents::{AgentMetrics, AgentPeriod, SumAgents, SummedMoney};
use runstone_model::{ids::ProjectId, time::Timestamp};
use runstone_store::agent::{AgentMetrics as Stored, MetricsFilter};

use super::{money, ms};
use crate::{Answer, App, Query, Scope, report::report, routes::window::Window};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// Sums of one answer.
const MOST: u32 = 10_000;

pub(super) async fn sums(
    State(app): State<App>,
    scope: Scope,
    Query(query): Query<SumAgents>,
) -> Answer {
    // What is wrong with the query is said before anything is looked up.
    filter(&query, app.now())?;
    let (app, project) = (&app, scope.id());
    let as_asked = (&query.agent, &query.since, &query.until, &query.period);
    let asked = &query;
    report(app, project, "agents.metrics", &as_asked, |at| async move {
        summed(app, project, &filter(asked, at)?, at).await
    })
    .await
}

fn filter(query: &SumAgents, now: Timestamp) -> Answer<MetricsFilter> {
    let Window { since, until } =
        Window::read(query.since.as_deref(), query.until.as_deref(), now)?;
    Ok(MetricsFilter {
        agent: query.agent.clone(),
        since,
        until,
        period_us: match query.period.as_deref() {
            Some("hour") => HOUR_US,
            _ => DAY_US,
        },
        limit: MOST + 1,
    })
}

async fn summed(
    app: &App,
    project: ProjectId,
    filter: &MetricsFilter,
    at: Timestamp,
) -> Answer<AgentMetrics> {
    let mut found = app.store.agent_metrics(project, filter).await?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let truncated = found.len() > most;
    found.truncate(most);
    Ok(AgentMetrics {
        since: filter.since.rfc3339(),
        until: filter.until.rfc3339(),
        items: found.into_iter().map(wire).collect(),
        truncated,
        as_of: at.rfc3339(),
    })
}

fn wire(stored: Stored) -> AgentPeriod {
    let ended = stored.completed + stored.failed + stored.cancelled;
    let mean_us = stored
        .total_us
        .filter(|_| ended > 0)
        .map(|total| total / ended);
    AgentPeriod {
        agent: stored.agent,
        period: stored.period.rfc3339(),
        executions: stored.executions,
        running: stored.executions - ended,
        completed: stored.completed,
        failed: stored.failed,
        cancelled: stored.cancelled,
        mean_ms: mean_us.map(ms),
        p50_ms: stored.p50_us.map(ms),
        p95_ms: stored.p95_us.map(ms),
        max_ms: stored.max_us.map(ms),
        input_tokens: stored.input_tokens,
        output_tokens: stored.output_tokens,
        cost: stored.currency.map(|currency| SummedMoney {
            amount: money::decimal(stored.cost_nanos),
            currency,
        }),
    }
}
