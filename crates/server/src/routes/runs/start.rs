//! Starting runs: one, with an idempotency key and a wait; or many.
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use runstone_api::{
    BASE, Code, FieldError,
    runs::{StartRun, StartRuns, Started, StartedRun, Wait},
};
use runstone_engine::{PinnedFlow, RunHandle, StartRun as Start};
use runstone_model::{ids::RunId, time::Timestamp};
use runstone_store::{ID_SLACK_US, RunRecord, SqlStore};
use serde_json::Value;

use super::{by_id, labelled, whole};
use crate::{
    Answer, App, Body, Fault, Query, Scope,
    http::gate::TraceId,
    invalid_body, invalid_query,
    routes::{
        once::{self, Once},
        quota::{self, Counted, Places},
    },
};

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often a run that another server executes is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Labels of one run.
const MOST_LABELS: usize = 16;

/// A start that was checked: only the database can still refuse it.
struct Checked {
    flow: PinnedFlow,
    input: Value,
    labels: BTreeMap<String, String>,
}

/// Flows that were looked up for this request.
type Flows = HashMap<(String, Option<u32>), PinnedFlow>;

pub(super) async fn start(
    State(app): State<App>,
    scope: Scope,
    headers: HeaderMap,
    Query(query): Query<Wait>,
    Body(start): Body<StartRun>,
) -> Answer {
    let wait = query.wait.as_deref().map(wait).transpose()?;
    let once = Once::of(&app, scope.id(), &headers, "runs.start", &start).await?;
    let (app, scope) = (&app, &scope);
    let there = |id| async move {
        let found = app.store.project_run(scope.id(), RunId(id)).await?;
        Ok(found.map(|record| Begun {
            id: record.id,
            record: Some(record),
            handle: None,
            unlabelled: false,
        }))
    };
    let begin = |id| async move {
        let _places = quota(app, scope, 1).await?;
        let checked = check(app, scope, start, &mut Flows::new()).await?;
        let unlabelled = checked.labels.is_empty();
        Ok(Begun {
            id: RunId(id),
            record: None,
            handle: Some(launch(app, scope, RunId(id), checked).await?),
            unlabelled,
        })
    };
    let begun = once.make(there, begin).await?;
    answer(app, scope, begun, wait).await
}

pub(super) async fn start_many(
    State(app): State<App>,
    Extension(trace): Extension<TraceId>,
    scope: Scope,
    headers: HeaderMap,
    Body(starts): Body<StartRuns>,
) -> Answer<(StatusCode, Json<Started>)> {
    let once = Once::of(&app, scope.id(), &headers, "runs.start_many", &starts).await?;
    let ids = (0..starts.runs.len()).map(|number| RunId(once::nth(once.id, number)));
    let ids: Vec<RunId> = ids.collect();
    let (app, scope) = (&app, &scope);
    let there = async |id| match once.again {
        true => Ok(app.store.project_run(scope.id(), id).await?.is_some()),
        false => Ok::<_, Fault>(false),
    };
    let mut begun = Vec::with_capacity(ids.len());
    for id in &ids {
        begun.push(there(*id).await?);
    }
    let asked = begun.iter().filter(|begun| !**begun).count();
    let _places = match u64::try_from(asked).unwrap_or(u64::MAX) {
        0 => None,
        asked => match quota(app, scope, asked).await {
            Ok(places) => places,
            Err(fault) => {
                once.refused(&fault).await;
                return Err(fault);
            }
        },
    };
    let mut flows = Flows::new();
    let mut checked = Vec::with_capacity(ids.len());
    for (start, begun) in starts.runs.into_iter().zip(begun) {
        checked.push(match begun {
            true => None,
            false => Some(check(app, scope, start, &mut flows).await),
        });
    }
    // At the same time, so that they share the commits.
    let launched = ids.into_iter().zip(checked).map(|(id, checked)| {
        let trace = &trace;
        async move {
            let started = match checked {
                None => Ok(()),
                Some(Ok(checked)) => launch(app, scope, id, checked).await.map(drop),
                Some(Err(fault)) => Err(fault),
            };
            told(id, started, trace)
        }
    });
    let items = futures::future::join_all(launched).await;
    Ok((StatusCode::ACCEPTED, Json(Started { items })))
}

fn told(id: RunId, started: Answer<()>, trace: &TraceId) -> StartedRun {
    match started {
        Ok(()) => StartedRun {
            run_id: Some(id.0),
            problem: None,
        },
        Err(fault) => StartedRun {
            run_id: None,
            problem: Some(fault.into_problem(&trace.0)),
        },
    }
}

/// `30s`, `500ms`, `1m`.
fn wait(text: &str) -> Answer<Duration> {
    let wrong = || {
        let detail = "must be a time up to 60 s, as in `30s` or `500ms`";
        invalid_query(vec![FieldError::new("wait", detail)])
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let wait = match &text[digits..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        _ => return Err(wrong()),
    };
    if wait > LONGEST_WAIT {
        return Err(wrong());
    }
    Ok(wait)
}

/// Places for runs of a project that has a quota; they are held until the runs are stored.
pub(super) async fn quota(app: &App, scope: &Scope, more: u64) -> Answer<Option<Places>> {
    let Some(most) = quota::of(&scope.project)?.active_runs else {
        return Ok(None);
    };
    let taken = quota::take(app, scope.id(), Counted::ActiveRuns, (more, most)).await;
    taken.map(Some).map_err(|fault| fault.retry_after(5))
}

fn labels(labels: BTreeMap<String, String>) -> Answer<BTreeMap<String, String>> {
    let mut errors = Vec::new();
    if labels.len() > MOST_LABELS {
        let detail = format!("has more than {MOST_LABELS} labels");
        errors.push(FieldError::new("/labels", detail));
    }
    for (name, value) in &labels {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            let detail = "a label's name is 1 to 64 letters, digits, `_`, `.` or `-`";
            errors.push(FieldError::new("/labels", detail));
        }
        if value.chars().count() > 200 {
            let pointer = format!("/labels/{name}");
            errors.push(FieldError::new(pointer, "is longer than 200 characters"));
        }
    }
    if errors.is_empty() {
        Ok(labels)
    } else {
        Err(invalid_body(errors))
    }
}

async fn check(app: &App, scope: &Scope, start: StartRun, flows: &mut Flows) -> Answer<Checked> {
    let labels = labels(start.labels)?;
    let key = (start.flow, start.version);
    let flow = match flows.get(&key) {
        Some(flow) => flow.clone(),
        None => {
            let found = app.store.flow(scope.id(), &key.0, key.1).await?;
            let found = found.ok_or_else(|| no_such_flow(&key.0, key.1))?;
            let pinned = app.engine.flow_version(found.id).await?;
            flows.insert(key, pinned.clone());
            pinned
        }
    };
    let input = start.input.unwrap_or(Value::Object(serde_json::Map::new()));
    let input = flow.flow.check_input(input).map_err(|problems| {
        let errors = problems.iter().map(|problem| {
            FieldError::new(
                format!("/input{}", problem.pointer),
                format!("{}; {}", problem.message, problem.mend),
            )
        });
        Fault::new(Code::InvalidInput, "the input does not fit the flow").errors(errors.collect())
    })?;
    Ok(Checked {
        flow,
        input,
        labels,
    })
}

fn no_such_flow(name: &str, version: Option<u32>) -> Fault {
    let version = version.map_or_else(String::new, |version| format!(" in version {version}"));
    let error = FieldError::new(
        "/flow",
        format!("the project has no flow `{name}`{version}"),
    );
    Fault::not_found("flow").errors(vec![error])
}

/// When a run counts as created. Lists, counts and statistics find runs of a time by their ids, which
/// tell when their start was asked for: a run that is made much later, by a repetition of a request
/// whose first attempt came to nothing, is as old as its id says. So is one whose id another server
/// has made by a clock of its own.
fn created(id: RunId, now: Timestamp) -> Timestamp {
    let asked = SqlStore::time_of(id.0);
    let apart_us = now.0.abs_diff(asked.0);
    if apart_us > ID_SLACK_US.unsigned_abs() / 2 {
        asked
    } else {
        now
    }
}

async fn launch(app: &App, scope: &Scope, id: RunId, checked: Checked) -> Answer<RunHandle> {
    let start = Start {
        project: scope.id(),
        flow: checked.flow,
        input: checked.input,
        // A full server leaves it to any that has room.
        detach: app.engine.live() >= app.settings.max_live_runs,
        labels: checked.labels.into_iter().collect(),
    };
    app.traces.run_starts(id, &start.flow.flow);
    let created_at = created(id, app.now());
    Ok(app.engine.start_as(id, created_at, start).await?)
}

/// A run that was started, now or by an earlier request, as far as it is known.
struct Begun {
    id: RunId,
    record: Option<RunRecord>,
    /// It is executed here.
    handle: Option<RunHandle>,
    /// It is known to have no labels.
    unlabelled: bool,
}

async fn answer(app: &App, scope: &Scope, begun: Begun, wait: Option<Duration>) -> Answer {
    let Begun {
        id,
        record,
        handle,
        unlabelled,
    } = begun;
    let record = if let Some(wait) = wait {
        let ended = async {
            if let Some(handle) = handle {
                handle.wait().await;
            }
            // It may go on elsewhere.
            loop {
                let record = by_id(app, scope, id).await?;
                if record.status.is_final() {
                    return Ok::<_, Fault>(record);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        match tokio::time::timeout(wait, ended).await {
            Ok(ended) => ended?,
            Err(_) => by_id(app, scope, id).await?,
        }
    } else if let Some(record) = record {
        record
    } else {
        by_id(app, scope, id).await?
    };
    let status = if wait.is_some() && record.status.is_final() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let run = match unlabelled {
        true => labelled(app, &record, BTreeMap::new()).await?,
        false => whole(app, &record).await?,
    };
    let location = format!("{BASE}/projects/{}/runs/{}", record.project, record.id);
    let mut response: Response = (status, Json(run)).into_response();
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_and_bounded() {
        let ms = |text| wait(text).ok().map(|wait| wait.as_millis());
        assert_eq!(ms("30s"), Some(30_000));
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("1m"), Some(60_000));
        for wrong in ["61s", "2m", "s", "", "1h", "-1s", "99999999999999999999s"] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_run_is_not_younger_than_its_id_tells() {
        let asked = Timestamp(1_800_000_000_123_000);
        let id = RunId(SqlStore::first_id_at(asked));
        for (later_us, created_later_us) in [(0, 0), (900, 900), (999_999, 999_999), (1_000_001, 0)]
        {
            let now = Timestamp(asked.0 + later_us);
            assert_eq!(created(id, now), Timestamp(asked.0 + created_later_us));
        }
        assert_eq!(
            created(id, Timestamp(asked.0 + (24 * 3_600_000_000))),
            asked
        );
    }
}
