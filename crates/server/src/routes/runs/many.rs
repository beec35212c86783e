//! Cancel, resume and retry many runs at once, found by a filter. Each stands for itself, as if its
//! own verb had been called; a request does a bounded number in a bounded time, and says where to go
//! on.
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use axum::{Extension, Json, extract::State};
use futures::future::BoxFuture;
use runstone_api::{
    Code, FieldError, cursor,
    runs::many::{ActedOnRuns, CancelRuns, ChosenRuns, GoOnWithRuns, SkippedRun},
};
use runstone_model::{ids::RunId, run::Status, time::Timestamp};
use runstone_store::RunRecord;
use uuid::Uuid;

use super::{
    choose::{Choice, Chosen},
    start,
};
use crate::{Answer, App, Body, Fault, Scope, http::gate::TraceId, invalid_body};

/// What the cursors belong to.
const LIST: &str = "runs.many";
/// The order in which runs are gone through.
const ORDER: &str = "-created_at";
/// Runs of one request when nobody says.
const LIMIT: u32 = 100;
/// Runs that are worked on at the same time.
const TOGETHER: usize = 16;
/// After so long, or half of what a request may take, no more are begun; the next request goes on.
const BUDGET: Duration = Duration::from_secs(10);

const UNENDED: [Status; 4] = [
    Status::Pending,
    Status::Running,
    Status::Waiting,
    Status::Paused,
];
const GIVEN_UP: [Status; 2] = [Status::Failed, Status::Cancelled];

/// What is asked besides the verb.
struct Asked<'a> {
    filter: &'a ChosenRuns,
    limit: Option<u32>,
    cursor: Option<&'a str>,
    trace: &'a TraceId,
}

impl<'a> Asked<'a> {
    fn to_go_on(body: &'a GoOnWithRuns, trace: &'a TraceId) -> Self {
        Self {
            filter: &body.filter,
            limit: body.limit,
            cursor: body.cursor.as_deref(),
            trace,
        }
    }
}

pub(super) async fn cancel(
    State(app): State<App>,
    Extension(trace): Extension<TraceId>,
    scope: Scope,
    Body(body): Body<CancelRuns>,
) -> Answer<Json<ActedOnRuns>> {
    let asked = Asked {
        filter: &body.filter,
        limit: body.limit,
        cursor: body.cursor.as_deref(),
        trace: &trace,
    };
    let reason = body.reason.as_deref().unwrap_or("cancelled over the API");
    let (app, scope) = (&app, &scope);
    // Who was asked already is being cancelled.
    let unasked = |run: &RunRecord| run.cancel_requested_at.is_none();
    act(app, scope, asked, (&UNENDED, unasked), |id| {
        Box::pin(async move { Ok(app.engine.cancel(id, reason).await.map(drop)?) })
    })
    .await
}

pub(super) async fn resume(
    State(app): State<App>,
    Extension(trace): Extension<TraceId>,
    scope: Scope,
    Body(body): Body<GoOnWithRuns>,
) -> Answer<Json<ActedOnRuns>> {
    let lease_us = i64::try_from(app.engine.lease().as_micros()).unwrap_or(i64::MAX);
    let now = app.now();
    let heard_since = Timestamp(now.0.saturating_sub(lease_us));
    let alive = app.store.alive(heard_since).await?;
    let (app, scope) = (&app, &scope);
    // What this server owns and could not go on with counts as well.
    let nobodys = |run: &RunRecord| {
        let own = run.owner == Some(app.engine.server());
        let elsewhere = run.owner.is_some_and(|owner| alive.contains(&owner));
        // What waits for a time needs nobody.
        let waits = run.wake_at.is_some_and(|at| at > now);
        !app.engine.executes(run.id) && !waits && (own || !elsewhere)
    };
    let asked = Asked::to_go_on(&body, &trace);
    act(app, scope, asked, (&UNENDED, nobodys), |id| {
        Box::pin(async move {
            let _place = Place::take(app)?;
            Ok(app.engine.resume(id).await.map(drop)?)
        })
    })
    .await
}

pub(super) async fn retry(
    State(app): State<App>,
    Extension(trace): Extension<TraceId>,
    scope: Scope,
    Body(body): Body<GoOnWithRuns>,
) -> Answer<Json<ActedOnRuns>> {
    let (app, scope) = (&app, &scope);
    let asked = Asked::to_go_on(&body, &trace);
    act(app, scope, asked, (&GIVEN_UP, |_| true), |id| {
        Box::pin(async move {
            let _place = Place::take(app)?;
            let _places = start::quota(app, scope, 1).await?;
            Ok(app.engine.retry(id).await.map(drop)?)
        })
    })
    .await
}

/// A place among the runs that this server may execute; held until its run is live, so that many who
/// go on with runs at the same time do not all find the last one free.
struct Place<'a>(&'a App);

impl<'a> Place<'a> {
    fn take(app: &'a App) -> Answer<Self> {
        let others = app.going_on.fetch_add(1, Ordering::SeqCst);
        let place = Self(app);
        if app.engine.live().saturating_add(others) < app.settings.max_live_runs {
            return Ok(place);
        }
        let detail = "this server executes as many runs as it may";
        Err(Fault::new(Code::Overloaded, detail))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.going_on.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn act<'a>(
    app: &App,
    scope: &Scope,
    asked: Asked<'_>,
    of: (&[Status], impl Fn(&RunRecord) -> bool),
    verb: impl Fn(RunId) -> BoxFuture<'a, Answer<()>>,
) -> Answer<Json<ActedOnRuns>> {
    let limit = asked.limit.unwrap_or(LIMIT);
    let before = asked.cursor.map(read_cursor).transpose()?;
    let choice = Choice::read(asked.filter)?;
    let Chosen {
        runs,
        missing,
        mut next,
    } = choice.find(app, scope, (before, limit), of).await?;
    let mut answer = ActedOnRuns {
        matched: 0,
        done: Vec::new(),
        skipped: Vec::new(),
        next_cursor: None,
    };
    let skipped = |id, fault: Fault| skipped(id, fault, asked.trace);
    let (began, mut acted_on) = (Instant::now(), 0);
    let whole = Duration::from_millis(app.settings.limits.request_timeout_ms);
    let budget = BUDGET.min(whole / 2);
    for some in runs.chunks(TOGETHER) {
        if began.elapsed() > budget {
            break;
        }
        let acted = some.iter().map(|run| verb(run.id));
        let acted = futures::future::join_all(acted).await;
        for (run, acted) in some.iter().zip(acted) {
            acted_on += 1;
            match acted {
                Ok(()) => answer.done.push(run.id.0),
                Err(fault) => answer.skipped.push(skipped(run.id, fault)),
            }
        }
    }
    answer.matched = u64::try_from(acted_on).unwrap_or(u64::MAX);
    if let Some(last) = runs.get(..acted_on).and_then(<[_]>::last)
        && acted_on < runs.len()
    {
        next = Some(last.id);
    }
    // Those beyond the cursor are told of by the next request.
    for id in missing
        .into_iter()
        .filter(|id| next.is_none_or(|next| *id >= next))
    {
        answer.matched += 1;
        answer.skipped.push(skipped(id, Fault::not_found("run")));
    }
    answer.next_cursor = next.map(|id| cursor::encode(LIST, ORDER, &id.to_string()));
    Ok(Json(answer))
}

fn read_cursor(text: &str) -> Answer<RunId> {
    let key = cursor::decode(LIST, ORDER, text);
    let id = key.and_then(|key| key.parse::<Uuid>().ok()).map(RunId);
    id.ok_or_else(|| {
        let detail = "the cursor is not one that these verbs gave";
        invalid_body(vec![FieldError::new("/cursor", detail)])
    })
}

fn skipped(id: RunId, fault: Fault, trace: &TraceId) -> SkippedRun {
    let problem = fault.into_problem(&trace.0);
    SkippedRun {
        id: id.0,
        code: problem.code,
        detail: problem.detail,
    }
}
