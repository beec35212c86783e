//! Runs: start, list, look at, compare, cancel, go on with, watch.
mod choose;
mod list;
mod look;
mod many;
mod start;
mod wanted;
mod watch;

use std::collections::BTreeMap;

use axum::{Json, extract::State, http::StatusCode};
use runstone_api::{
    Access::AtLeast,
    Code, List,
    Role::{Editor, Viewer},
    list::{NewestFirst, SeqKey},
    runs::{
        CancelRun, Checkpoint, DiffRuns, ListRuns, Run, RunDiff, StartRun, StartRuns, Started,
        Step, Wait, Watch,
        many::{ActedOnRuns, CancelRuns, GoOnWithRuns},
    },
};
use runstone_model::ids::RunId;
use runstone_store::RunRecord;
use serde_json::{Value, json};

use crate::{Answer, App, Body, Fault, Params, Route, Scope};

pub(super) fn routes() -> Vec<Route> {
    let mut all = starting();
    all.extend(looking());
    all.extend(acting());
    all.extend(acting_on_many());
    all.extend(watching());
    all
}

fn of(path: &str) -> String {
    format!("/projects/{{project}}/runs{path}")
}

fn starting() -> Vec<Route> {
    let example = json!({ "flow": "greet", "input": { "who": "Ada" }, "labels": { "team": "a" } });
    let many = json!({ "runs": [{ "flow": "greet", "input": { "who": "Ada" } }] });
    vec![
        Route::post(&of(""), "runs.start", AtLeast(Editor), start::start)
            .summary("Start a run; it is durable once this answers")
            .describe(
                "With an `Idempotency-Key` the same request gives the same run for 24 h, and \
                 another request with the key is refused. With `wait` it answers once the run has \
                 ended, or with 202 when that takes longer.",
            )
            .query::<Wait>()
            .once()
            .body::<StartRun>(example)
            .fails(&[Code::InvalidInput, Code::QuotaExceeded, Code::ShuttingDown])
            .unhurried()
            .answers::<Run>(202, "It is started; `Location` is given.")
            .answers::<Run>(200, "It has ended while this request waited."),
        Route::post(
            &of(":batch"),
            "runs.start_many",
            AtLeast(Editor),
            start::start_many,
        )
        .summary("Start up to 500 runs; each stands for itself")
        .describe(
            "With an `Idempotency-Key` the same request gives the same runs for 24 h; those that \
             were not started then are tried again.",
        )
        .once()
        .body::<StartRuns>(many)
        .fails(&[Code::QuotaExceeded])
        .unhurried()
        .answers::<Started>(202, "One item for each, with the run or the problem."),
    ]
}

fn looking() -> Vec<Route> {
    vec![
        Route::get(&of(""), "runs.list", AtLeast(Viewer), list::list)
            .summary("The runs of a project, newest first")
            .query::<List<NewestFirst, ListRuns>>()
            .page::<Run>(),
        Route::get(&of("/{run}"), "runs.get", AtLeast(Viewer), look::get)
            .summary("One run with its input, output and labels")
            .answers::<Run>(200, "The run."),
        Route::get(
            &of("/{run}/steps"),
            "runs.steps",
            AtLeast(Viewer),
            look::steps,
        )
        .summary("A run's journal, oldest first")
        .query::<List<SeqKey>>()
        .page::<Step>(),
        Route::get(
            &of("/{run}/steps/{seq}"),
            "runs.step",
            AtLeast(Viewer),
            look::step,
        )
        .summary("One entry of the journal, whole")
        .answers::<Step>(200, "The entry with its result and what it wrote."),
        Route::get(
            &of("/{run}/checkpoints"),
            "runs.checkpoints",
            AtLeast(Viewer),
            look::steps,
        )
        .summary("The places whose state can be seen: every entry of the journal")
        .query::<List<SeqKey>>()
        .page::<Step>(),
        Route::get(
            &of("/{run}/checkpoints/{seq}"),
            "runs.checkpoint",
            AtLeast(Viewer),
            look::checkpoint,
        )
        .summary("The whole state after an entry of the journal; 0 is before the first")
        .answers::<Checkpoint>(200, "The state."),
        Route::get(&of("/{run}/diff"), "runs.diff", AtLeast(Viewer), look::diff)
            .summary("Where the input, the state and the output of two runs differ")
            .query::<DiffRuns>()
            .answers::<RunDiff>(200, "Every field that differs."),
    ]
}

fn acting() -> Vec<Route> {
    vec![
        Route::post(&of("/{run}:cancel"), "runs.cancel", AtLeast(Editor), cancel)
            .summary("Cancel a run")
            .body::<CancelRun>(json!({ "reason": "not needed any more" }))
            .answers::<Run>(200, "It has ended.")
            .answers::<Run>(202, "The server that executes it was asked to end it."),
        Route::post(&of("/{run}:resume"), "runs.resume", AtLeast(Editor), resume)
            .summary("Go on with a run that nobody executes, from its last committed step")
            .answers::<Run>(202, "It goes on here."),
        Route::post(&of("/{run}:retry"), "runs.retry", AtLeast(Editor), retry)
            .summary("Go on with a run that has failed or was cancelled")
            .describe(
                "A cancelled run goes on where it stood, a failed one before the step that made it \
                 fail; a limit on its duration begins anew. What is done stays done; the step keeps \
                 its idempotency key.",
            )
            .answers::<Run>(202, "It goes on."),
    ]
}

fn acting_on_many() -> Vec<Route> {
    let filter = json!({ "flow": "greet", "status": "failed,cancelled" });
    let cancel = json!({ "filter": { "flow": "greet" }, "reason": "not needed any more" });
    let go_on = json!({ "filter": filter, "limit": 50 });
    let again = "Each is done for itself, as its own verb does it; what stands against one is told \
                 under `skipped`. With `next_cursor` there may be more. Sent again, it finds what is \
                 left.";
    let told = "What was done and what was not.";
    vec![
        Route::post(
            &of(":cancel"),
            "runs.cancel_many",
            AtLeast(Editor),
            many::cancel,
        )
        .summary("Cancel the runs that a filter finds")
        .describe(again)
        .body::<CancelRuns>(cancel)
        .answers::<ActedOnRuns>(200, told),
        Route::post(
            &of(":resume"),
            "runs.resume_many",
            AtLeast(Editor),
            many::resume,
        )
        .summary("Go on with the runs that a filter finds and nobody executes")
        .describe(again)
        .body::<GoOnWithRuns>(json!({ "filter": { "flow": "greet" } }))
        .answers::<ActedOnRuns>(200, told),
        Route::post(
            &of(":retry"),
            "runs.retry_many",
            AtLeast(Editor),
            many::retry,
        )
        .summary("Go on with the runs that a filter finds and that have failed or were cancelled")
        .describe(again)
        .body::<GoOnWithRuns>(go_on)
        .answers::<ActedOnRuns>(200, told),
    ]
}

fn watching() -> Vec<Route> {
    vec![
        Route::get(
            &of("/{run}/events"),
            "runs.events",
            AtLeast(Viewer),
            watch::events,
        )
        .summary("Watch a run: its journal from any place on, then what is added, as it is")
        .describe(
            "Server-sent events; `id` is the place in the journal, `event` the kind, `data` \
                 the entry as in `steps`. Goes on after `Last-Event-ID` or `?after`. Ends after \
                 the run's last entry; asked again after that, it answers 204.",
        )
        .query::<Watch>()
        .header(
            "Last-Event-ID",
            false,
            "The last entry that is known already.",
        )
        .unhurried()
        .media(200, "text/event-stream", "The events.")
        .empty(204, "The run has ended and nothing is left."),
        Route::get(
            &of("/{run}/live"),
            "runs.live",
            AtLeast(Viewer),
            watch::live,
        )
        .summary("The same over a WebSocket: one JSON text for each entry")
        .query::<Watch>()
        .unhurried()
        .empty(101, "A WebSocket begins.")
        .empty(426, "The request was not for a WebSocket."),
    ]
}

/// A stored value.
fn value(text: Option<&str>) -> Option<Value> {
    text.and_then(|text| serde_json::from_str(text).ok())
}

/// A run as it stands in lists.
fn brief(record: &RunRecord) -> Run {
    let took = record.finished_at.map(|end| end.since(record.created_at));
    Run {
        id: record.id.0,
        project: record.project.0,
        flow: record.flow.clone(),
        version: record.version,
        status: record.status.name().to_owned(),
        steps: record.steps,
        created_at: record.created_at.rfc3339(),
        finished_at: record.finished_at.map(|at| at.rfc3339()),
        duration_ms: took.map(|took| took.as_micros() as f64 / 1000.0),
        deadline: record.deadline.map(|at| at.rfc3339()),
        wake_at: record.wake_at.map(|at| at.rfc3339()),
        cancel_requested_at: record.cancel_requested_at.map(|at| at.rfc3339()),
        input: None,
        output: None,
        error: value(record.error.as_deref()),
        labels: None,
    }
}

/// A run with everything.
async fn whole(app: &App, record: &RunRecord) -> Answer<Run> {
    let labels = app.store.labels(record.project, record.id).await?;
    labelled(app, record, labels.into_iter().collect()).await
}

/// The same with labels that are known.
async fn labelled(app: &App, record: &RunRecord, labels: BTreeMap<String, String>) -> Answer<Run> {
    let (project, id) = (record.project, record.id);
    let mut run = brief(record);
    run.input = value(Some(&record.input));
    run.output = value(record.output.as_deref());
    run.labels = Some(labels);
    if !record.status.is_final() {
        run.steps = app.store.count_steps(project, id).await?;
    }
    Ok(run)
}

/// The run of the path.
async fn find(app: &App, scope: &Scope, params: &Params) -> Answer<RunRecord> {
    let id = RunId(params.uuid("run")?);
    by_id(app, scope, id).await
}

async fn by_id(app: &App, scope: &Scope, id: RunId) -> Answer<RunRecord> {
    let found = app.store.project_run(scope.id(), id).await?;
    found.ok_or_else(|| Fault::not_found("run"))
}

async fn cancel(
    State(app): State<App>,
    scope: Scope,
    params: Params,
    Body(cancel): Body<CancelRun>,
) -> Answer<(StatusCode, Json<Run>)> {
    let record = find(&app, &scope, &params).await?;
    let reason = cancel
        .reason
        .unwrap_or_else(|| "cancelled over the API".to_owned());
    app.engine.cancel(record.id, &reason).await?;
    let record = by_id(&app, &scope, record.id).await?;
    let status = if record.status.is_final() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(whole(&app, &record).await?)))
}

async fn retry(
    State(app): State<App>,
    scope: Scope,
    params: Params,
) -> Answer<(StatusCode, Json<Run>)> {
    let record = find(&app, &scope, &params).await?;
    let _places = start::quota(&app, &scope, 1).await?;
    app.engine.retry(record.id).await?;
    let record = by_id(&app, &scope, record.id).await?;
    Ok((StatusCode::ACCEPTED, Json(whole(&app, &record).await?)))
}

async fn resume(
    State(app): State<App>,
    scope: Scope,
    params: Params,
) -> Answer<(StatusCode, Json<Run>)> {
    let record = find(&app, &scope, &params).await?;
    if record.status.is_final() {
        let detail = format!("the run is {} already", record.status.name());
        return Err(Fault::new(Code::Conflict, detail));
    }
    app.engine.resume(record.id).await?;
    let record = by_id(&app, &scope, record.id).await?;
    Ok((StatusCode::ACCEPTED, Json(whole(&app, &record).await?)))
}
