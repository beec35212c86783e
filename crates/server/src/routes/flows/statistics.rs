//! What became of a flow's runs, as it travels. The work is bounded: the newest runs of the window,
//! found by an index, up to a cap.
use std::collections::BTreeMap;

use axum::extract::State;
use runstone_api::{
    Access::AtLeast,
    Role::Viewer,
    flows::statistics::{FlowStatistics, RunStatistics, SumFlow, VersionStatistics},
};
use runstone_model::{ids::ProjectId, rank::nearest_rank, run::Status, time::Timestamp};
use runstone_store::{RunFacts, Walk};

use crate::{
    Answer, App, Fault, Params, Query, Route, Scope,
    report::report,
    routes::{versioned::ms, window::Window},
};

/// Runs that are counted at most.
const MOST: usize = 20_000;

pub(super) fn route(path: &str) -> Route {
    Route::get(path, "flows.statistics", AtLeast(Viewer), statistics)
        .summary("What became of a flow's runs: by status and version, with durations and steps")
        .describe("Counts the newest 20,000 runs of the window at most, and says so.")
        .query::<SumFlow>()
        .answers::<FlowStatistics>(200, "The sums, with their `Age`.")
}

async fn statistics(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Query(query): Query<SumFlow>,
) -> Answer {
    let (app, project, name) = (&app, scope.id(), params.text("name")?);
    window(&query, app.now())?;
    // What is not there is said at once, whatever is kept.
    if app
        .store
        .flow_versions(project, name, &Walk::down(1))
        .await?
        .is_empty()
    {
        return Err(Fault::not_found("flow"));
    }
    let as_asked = (name, &query.since, &query.until);
    let asked = &query;
    report(
        app,
        project,
        "flows.statistics",
        &as_asked,
        |at| async move { summed(app, project, name, window(asked, at)?, at).await },
    )
    .await
}

fn window(query: &SumFlow, now: Timestamp) -> Answer<Window> {
    Window::read(query.since.as_deref(), query.until.as_deref(), now)
}

async fn summed(
    app: &App,
    project: ProjectId,
    name: &str,
    Window { since, until }: Window,
    at: Timestamp,
) -> Answer<FlowStatistics> {
    let facts = app.store.flow_facts(project, name, (since, until), MOST);
    let facts = facts.await?.ok_or_else(|| Fault::not_found("flow"))?;
    let oldest = facts.runs.iter().map(|run| run.created_at).min();
    let since = oldest.filter(|_| facts.truncated).unwrap_or(since);
    let mut versions: BTreeMap<u32, Vec<RunFacts>> = BTreeMap::new();
    for run in &facts.runs {
        versions.entry(run.version).or_default().push(*run);
    }
    let versions = versions.into_iter().rev();
    Ok(FlowStatistics {
        flow: name.to_owned(),
        since: since.rfc3339(),
        until: until.rfc3339(),
        truncated: facts.truncated,
        all: sum(&facts.runs),
        versions: versions
            .map(|(version, runs)| VersionStatistics {
                version,
                runs: sum(&runs),
            })
            .collect(),
        as_of: at.rfc3339(),
    })
}

fn sum(runs: &[RunFacts]) -> RunStatistics {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let mut by_status = BTreeMap::new();
    for run in runs {
        *by_status.entry(run.status.name().to_owned()).or_default() += 1;
    }
    let of = |status: Status| *by_status.get(status.name()).unwrap_or(&0_u64);
    let (completed, failed) = (of(Status::Completed), of(Status::Failed));
    let judged = completed + failed;
    let ended = runs.iter().filter(|run| run.finished_at.is_some());
    let mut durations: Vec<i64> = ended
        .clone()
        .filter_map(|run| Some(run.finished_at?.0.saturating_sub(run.created_at.0)))
        .collect();
    durations.sort_unstable();
    let total = durations.iter().copied().fold(0, i64::saturating_add);
    let mean = i64::try_from(durations.len())
        .ok()
        .and_then(|number| total.checked_div(number));
    RunStatistics {
        count: count(runs.len()),
        success_rate: (judged > 0).then(|| completed as f64 / judged as f64),
        steps: ended.map(|run| run.steps).sum(),
        mean_ms: mean.map(ms),
        p50_ms: nearest_rank(&durations, 50).map(ms),
        p95_ms: nearest_rank(&durations, 95).map(ms),
        max_ms: durations.last().copied().map(ms),
        by_status,
    }
}
