//! A run's journal as a table with a time line, as JSON, and as a note on each node of the graph.
use std::{collections::BTreeMap, time::Duration};

use runstone_engine::run::{History, Step};
use runstone_model::{
    failure::Failure,
    flow::{Flow, NodeIx},
    run::{Entry, StepRef},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    count, cut, duration,
    paint::Paint,
    plain,
    run::failure_text,
    table::{Align, Table},
};

/// Characters of the time line.
const BAR: usize = 30;

/// One step (or failed attempt) of `show --steps --json`.
#[derive(Debug, Serialize)]
struct StepDocument<'a> {
    seq: u64,
    node: &'a str,
    attempt: u32,
    visit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<u32>,
    status: &'static str,
    started_at: String,
    duration_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    error: Option<&'a Failure>,
}

/// What a journal entry says of a step.
struct Told<'a> {
    step: StepRef,
    attempt: u32,
    started_at: Timestamp,
    took: Duration,
    failure: Option<&'a Failure>,
    retry_at: Option<Timestamp>,
    /// When the step ends that waits.
    until: Option<Timestamp>,
}

fn told(entry: &Entry) -> Option<Told<'_>> {
    match entry {
        Entry::Step(done) => Some(Told {
            step: done.step,
            attempt: done.attempt,
            started_at: done.started_at,
            took: Duration::from_micros(done.duration_us),
            failure: done.failure.as_ref(),
            retry_at: None,
            until: None,
        }),
        Entry::AttemptFailed {
            step,
            started_at,
            duration_us,
            failure,
            retry_at,
        } => Some(Told {
            step: *step,
            attempt: failure.attempt,
            started_at: *started_at,
            took: Duration::from_micros(*duration_us),
            failure: Some(failure),
            retry_at: Some(*retry_at),
            until: None,
        }),
        Entry::Waiting { step, wait } => Some(Told {
            step: *step,
            attempt: wait.attempt,
            started_at: wait.started_at,
            took: Duration::ZERO,
            failure: None,
            retry_at: None,
            until: Some(wait.until),
        }),
        Entry::TakenOver { .. } | Entry::Retried { .. } | Entry::Ended { .. } => None,
    }
}

/// How many steps are over.
pub(crate) fn committed(history: &History) -> u64 {
    history
        .steps
        .iter()
        .filter(|step| matches!(step.entry, Entry::Step(_)))
        .count() as u64
}

fn name(flow: &Flow, node: NodeIx) -> &str {
    flow.nodes.get(node).map_or("?", |node| node.name.as_str())
}

/// The steps as JSON.
pub(crate) fn json(history: &History) -> serde_json::Result<Value> {
    let flow = &history.flow.flow;
    let steps: Vec<StepDocument<'_>> = history
        .steps
        .iter()
        .filter_map(|step| {
            let told = told(&step.entry)?;
            Some(StepDocument {
                seq: step.seq,
                node: name(flow, told.step.node),
                attempt: told.attempt,
                visit: told.step.visit,
                item: told.step.item.map(|item| item.index),
                status: step.entry.kind().name(),
                started_at: duration::rfc3339(told.started_at),
                duration_ms: duration::ms(told.took),
                until: told.until.map(duration::rfc3339),
                error: told.failure,
            })
        })
        .collect();
    serde_json::to_value(steps)
}

/// The steps as a table.
pub(crate) fn table(history: &History, paint: Paint) -> String {
    let begin = history.record.created_at;
    let last = history.steps.iter().filter_map(|step| told(&step.entry));
    let end = last
        .map(|told| told.started_at.plus(told.took))
        .max()
        .unwrap_or(begin);
    let whole = history
        .record
        .finished_at
        .unwrap_or(end)
        .max(end)
        .since(begin);
    let mut table = Table::new(&[
        ("seq", Align::Right),
        ("node", Align::Left),
        ("visit", Align::Right),
        ("item", Align::Right),
        ("try", Align::Right),
        ("status", Align::Left),
        ("start", Align::Right),
        ("took", Align::Right),
        ("", Align::Left),
    ]);
    for step in &history.steps {
        row(&mut table, history, step, begin, whole, paint);
    }
    table.render()
}

fn row(
    table: &mut Table,
    history: &History,
    step: &Step,
    begin: Timestamp,
    whole: Duration,
    paint: Paint,
) {
    let offset = |at: Timestamp| format!("+{}", duration::human(at.since(begin)));
    let Some(told) = told(&step.entry) else {
        let (what, at) = match &step.entry {
            Entry::TakenOver { at, .. } => ("(taken over)".to_owned(), *at),
            Entry::Retried { at, .. } => ("(retried)".to_owned(), *at),
            Entry::Ended { at, .. } => {
                let how = step.entry.kind().name().trim_start_matches("run_");
                (format!("(run {how})"), *at)
            }
            Entry::Step(_) | Entry::AttemptFailed { .. } | Entry::Waiting { .. } => return,
        };
        let empty = String::new;
        let cells = [
            step.seq.to_string(),
            what,
            empty(),
            empty(),
            empty(),
            empty(),
            offset(at),
        ];
        table.row(cells.into_iter().chain([empty(), empty()]).collect());
        return;
    };
    table.row(vec![
        step.seq.to_string(),
        plain(name(&history.flow.flow, told.step.node)),
        told.step.visit.to_string(),
        told.step
            .item
            .map(|item| item.index.to_string())
            .unwrap_or_default(),
        told.attempt.to_string(),
        shown_status(step, paint),
        offset(told.started_at),
        duration::human(told.took),
        paint.dim(&bar(told.started_at.since(begin), told.took, whole)),
    ]);
    if let Some(until) = told.until {
        let date = duration::date(until);
        table.line(format!("       └ until {}, {date}", offset(until)));
    }
    if let Some(failure) = told.failure {
        let again = told.retry_at.map(|at| format!(", again at {}", offset(at)));
        let text = failure_text(failure, "           ");
        table.line(format!("       └ {text}{}", again.unwrap_or_default()));
    }
}

fn shown_status(step: &Step, paint: Paint) -> String {
    match step.entry.kind().name() {
        "completed" => paint.green("✓ completed"),
        "failed" => paint.red("✗ failed"),
        "skipped" => paint.dim("– skipped"),
        "waiting" => paint.dim("… waits"),
        "attempt_failed" => paint.yellow("↻ will retry"),
        other => other.to_owned(),
    }
}

/// Where in the run's time the step stands.
fn bar(offset: Duration, took: Duration, whole: Duration) -> String {
    let share = |part: Duration| {
        if whole.is_zero() {
            0.0
        } else {
            part.as_secs_f64() / whole.as_secs_f64()
        }
    };
    let place = |share: f64| (share * BAR as f64).round() as usize;
    let from = place(share(offset)).min(BAR - 1);
    let to = place(share(offset + took)).clamp(from + 1, BAR);
    format!("{}{}", " ".repeat(from), "█".repeat(to - from))
}

/// What became of one node.
#[derive(Default)]
struct Tally {
    visits: u32,
    items: u64,
    took: Duration,
    skipped: u64,
    retries: u64,
    failures: u64,
    failure: Option<String>,
    /// Until when the last of its steps waits, while it does.
    waiting: Option<Timestamp>,
}

/// A note for each node that was started.
pub(crate) fn notes(history: &History, paint: Paint) -> BTreeMap<NodeIx, String> {
    let mut tallies: BTreeMap<NodeIx, Tally> = BTreeMap::new();
    for step in &history.steps {
        let Some(told) = told(&step.entry) else {
            continue;
        };
        let tally = tallies.entry(told.step.node).or_default();
        tally.waiting = told.until.filter(|_| !history.record.status.is_final());
        if told.until.is_some() {
            continue;
        }
        tally.took += told.took;
        tally.visits = tally.visits.max(told.step.visit);
        if told.retry_at.is_some() {
            tally.retries += 1;
            continue;
        }
        tally.items += u64::from(told.step.item.is_some());
        tally.skipped += u64::from(step.entry.kind().name() == "skipped");
        if let Some(failure) = told.failure {
            tally.failures += 1;
            let message = format!("{}: {}", failure.class.name(), plain(&failure.message));
            tally.failure = Some(cut(&message, 80));
        }
    }
    tallies
        .into_iter()
        .map(|(node, tally)| (node, tally.note(paint)))
        .collect()
}

impl Tally {
    fn note(&self, paint: Paint) -> String {
        let mut parts = Vec::new();
        if self.visits > 1 {
            parts.push(count(self.visits.into(), "visit"));
        }
        if self.items > 0 {
            parts.push(count(self.items, "item"));
        }
        if self.retries > 0 {
            parts.push(format!("{} failed before", count(self.retries, "attempt")));
        }
        parts.push(duration::human(self.took));
        if let Some(until) = self.waiting {
            let text = format!("… waits until {}", duration::date(until));
            return paint.dim(&text);
        }
        if self.failures > 1 {
            parts.push(format!("{} failed", self.failures));
        }
        parts.extend(self.failure.clone());
        let text = parts.join(", ");
        if self.failures > 0 {
            paint.red(&format!("✗ {text}"))
        } else if self.skipped > 0 && self.skipped == u64::from(self.visits).max(self.items) {
            paint.dim("– skipped")
        } else {
            paint.green(&format!("✓ {text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_stays_inside_the_line_and_is_never_empty() {
        let ms = Duration::from_millis;
        assert_eq!(bar(ms(0), ms(100), ms(100)), "█".repeat(BAR));
        assert_eq!(
            bar(ms(100), ms(0), ms(100)),
            format!("{}█", " ".repeat(BAR - 1))
        );
        assert_eq!(bar(ms(0), ms(0), ms(0)), "█");
        assert_eq!(
            bar(ms(50), ms(50), ms(100)),
            format!("{}{}", " ".repeat(15), "█".repeat(15))
        );
        // A clock that jumped must not break the line.
        assert_eq!(bar(ms(900), ms(900), ms(100)).chars().count(), BAR);
    }
}
