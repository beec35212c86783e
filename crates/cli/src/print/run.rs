//! A run as JSON and as people read it: header, failure, the lines at the end of `run`.
use std::{collections::BTreeSet, time::Duration};

use runstone_model::{failure::Failure, ids::ServerId, run::Status, time::Timestamp};
use runstone_store::RunRecord;
use serde::Serialize;
use serde_json::Value;

use super::{count, cut, duration, note, paint::Paint, plain};

/// Characters of a value that are shown on one line.
const VALUE: usize = 200;

/// What `run --json` prints, and `show --json` with more around it.
#[derive(Debug, Serialize)]
pub(crate) struct RunDocument {
    run_id: String,
    flow: String,
    version: u32,
    status: Status,
    output: Value,
    state: Value,
    error: Value,
    /// How many; with `show --steps` the steps themselves.
    pub(crate) steps: Value,
    duration_ms: Option<f64>,
    /// When it goes on, while it waits for a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at: Option<String>,
}

impl RunDocument {
    /// The document of a run.
    pub(crate) fn new(record: &RunRecord, state: Value, steps: u64) -> Self {
        Self {
            run_id: record.id.to_string(),
            flow: record.flow.clone(),
            version: record.version,
            status: record.status,
            output: json(record.output.as_deref()),
            state,
            error: json(record.error.as_deref()),
            steps: steps.into(),
            duration_ms: took(record).map(duration::ms),
            wake_at: record.wake_at.map(duration::rfc3339),
        }
    }
}

/// A stored value; null when there is none.
pub(crate) fn json(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Whether one of the processes that are `alive` executes the run.
pub(crate) fn is_live(record: &RunRecord, alive: &BTreeSet<ServerId>) -> bool {
    !record.status.is_final() && record.owner.is_some_and(|owner| alive.contains(&owner))
}

/// Whether the run was begun and nobody goes on with it.
pub(crate) fn is_interrupted(record: &RunRecord, live: bool) -> bool {
    record.status == Status::Running && !live
}

/// The status as people see it.
pub(crate) fn status(record: &RunRecord, live: bool, paint: Paint) -> String {
    if is_interrupted(record, live) {
        paint.yellow("▸ interrupted")
    } else {
        paint.status(record.status)
    }
}

/// How long an ended run took.
pub(crate) fn took(record: &RunRecord) -> Option<Duration> {
    record.finished_at.map(|end| end.since(record.created_at))
}

/// The failure in a run's row.
pub(crate) fn failure(record: &RunRecord) -> Option<Failure> {
    record
        .error
        .as_deref()
        .and_then(|error| serde_json::from_str(error).ok())
}

/// The header of `show`. `live`: a process executes the run; else `resume` goes on with it.
pub(crate) fn header(
    record: &RunRecord,
    steps: u64,
    (live, resume): (bool, &str),
    now: Timestamp,
    paint: Paint,
) -> String {
    let mut lines = vec![
        ("run", record.id.to_string()),
        (
            "flow",
            format!("{}@{}", plain(&record.flow), record.version),
        ),
        ("status", status(record, live, paint)),
        (
            "started",
            format!(
                "{} ({})",
                duration::date(record.created_at),
                duration::ago(record.created_at, now)
            ),
        ),
    ];
    if is_interrupted(record, live) {
        lines.push(("go on", resume.to_owned()));
    }
    if let Some(at) = record.wake_at {
        let left = duration::human(at.since(now));
        lines.push(("wakes", format!("{} (in {left})", duration::date(at))));
    }
    match took(record) {
        Some(took) => lines.push(("took", duration::human(took))),
        None if record.cancel_requested_at.is_some() => {
            lines.push((
                "cancel",
                "was asked for; whoever executes the run will end it".to_owned(),
            ));
        }
        None => {}
    }
    lines.push(("steps", steps.to_string()));
    lines.push(("input", one_line(&record.input)));
    if let Some(output) = &record.output {
        lines.push(("output", one_line(output)));
    }
    let mut text = String::new();
    for (name, value) in lines {
        text.push_str(&format!("{} {value}\n", paint.dim(&format!("{name:<8}"))));
    }
    if let Some(failure) = failure(record) {
        text.push_str(&format!("{} ", paint.dim("error   ")));
        text.push_str(&failure_text(&failure, "         "));
        text.push('\n');
    }
    text
}

fn one_line(json: &str) -> String {
    // The beginning is enough: inputs may be megabytes.
    cut(&plain(&cut(json, VALUE + 1)), VALUE)
}

/// A failure in full; the lines after the first begin with `indent`.
pub(crate) fn failure_text(failure: &Failure, indent: &str) -> String {
    let mut text = String::new();
    if let Some(node) = &failure.node {
        text.push_str(&format!("node `{}`: ", plain(node)));
    }
    text.push_str(&format!(
        "{}: {}",
        failure.class.name(),
        plain(&failure.message)
    ));
    for cause in &failure.causes {
        text.push_str(&format!("\n{indent}because: {}", plain(cause)));
    }
    text.push_str(&format!("\n{indent}code {}", failure.code));
    if failure.attempt > 1 {
        text.push_str(&format!(", attempt {}", failure.attempt));
    }
    text
}

/// The lines on stderr at the end of `run` and `resume RUN`. `db` is the flag to repeat.
pub(crate) fn ending(record: &RunRecord, steps: u64, db: &str) {
    let paint = Paint::stderr();
    let status = paint.status(record.status);
    let took = took(record).map(|took| format!(" in {}", duration::human(took)));
    note(&format!(
        "{status}  {}{}",
        count(steps, "step"),
        took.unwrap_or_default()
    ));
    if let Some(failure) = failure(record) {
        note(&format!("  {}", failure_text(&failure, "    ")));
    }
    let id = record.id;
    match record.status {
        Status::Failed => {
            note(&format!("  what happened: runstone show {id} --steps{db}"));
            note("  a failed run stays failed: mend the cause, then start it again");
        }
        Status::Completed | Status::Cancelled => {
            note(&format!("  run {id}"));
            note(&format!("  look again: runstone show {id}{db}"));
        }
        Status::Pending | Status::Running | Status::Waiting | Status::Paused => {
            note(&format!("  go on with: runstone resume {id}{db}"));
        }
    }
}
