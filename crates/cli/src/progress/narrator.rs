//! Turns what happens in a run into lines for people. Pure: no stream, no terminal, no clock.
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use runstone_engine::EventKind;
use runstone_model::{
    failure::Failure,
    flow::{Flow, NodeIx, Target},
    run::{Entry, StepDone, StepRef},
    time::Timestamp,
};
use runstone_nodes::log::{Level, Line as Logged};
use serde_json::Value;

use super::outage;
use crate::print::{count, duration, paint::Paint, plain};

/// A map's progress is told so many times.
const TELLINGS: u64 = 10;

/// Tells one run.
pub(super) struct Narrator {
    flow: Arc<Flow>,
    paint: Paint,
    /// Whether a bar shows how far a map is.
    bars: bool,
    /// The newest start of each node.
    visits: BTreeMap<NodeIx, u32>,
    maps: BTreeMap<(NodeIx, u32), Map>,
    /// Whether it was told that the database does not answer.
    silent: bool,
}

/// The items of a map that are over.
#[derive(Clone, Debug)]
struct Map {
    done: u64,
    failed: u64,
    total: u64,
    begun: Timestamp,
    ended: Timestamp,
}

/// The step that is over after this piece of news.
pub(super) fn over(kind: &EventKind) -> Option<StepRef> {
    match kind {
        EventKind::Committed { entry, .. } => match &**entry {
            Entry::Step(done) => Some(done.step),
            Entry::AttemptFailed { step, .. } => Some(*step),
            Entry::Waiting { .. }
            | Entry::TakenOver { .. }
            | Entry::Retried { .. }
            | Entry::Ended { .. } => None,
        },
        EventKind::AttemptStarted { .. }
        | EventKind::Parked { .. }
        | EventKind::StoreUnavailable { .. }
        | EventKind::LostOwnership
        | EventKind::Stuck { .. } => None,
    }
}

impl Narrator {
    pub(super) fn new(flow: Arc<Flow>, paint: Paint, bars: bool) -> Self {
        Self {
            flow,
            paint,
            bars,
            visits: BTreeMap::new(),
            maps: BTreeMap::new(),
            silent: false,
        }
    }

    /// The lines for this piece of news.
    pub(super) fn tell(&mut self, kind: &EventKind) -> Vec<String> {
        match kind {
            EventKind::AttemptStarted { .. } | EventKind::Parked { .. } => Vec::new(),
            EventKind::Committed { entry, .. } => {
                let mut lines = Vec::new();
                if std::mem::take(&mut self.silent) {
                    lines.push(self.paint.green(outage::OVER));
                }
                lines.extend(self.entry(entry));
                lines
            }
            EventKind::StoreUnavailable { message } => {
                if std::mem::replace(&mut self.silent, true) {
                    return Vec::new();
                }
                vec![self.warning(&outage::begun(message))]
            }
            EventKind::LostOwnership => {
                vec![self.warning("another process has taken the run over")]
            }
            EventKind::Stuck { failure } => {
                vec![self.warning(&format!("cannot go on: {}", plain(&failure.message)))]
            }
        }
    }

    /// The line for what a `log` node says.
    pub(super) fn logged(&self, logged: &Logged) -> String {
        let fields: String = logged
            .fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => format!(" {name}={text}"),
                other => format!(" {name}={other}"),
            })
            .collect();
        let text = format!(
            "{}: {}{}",
            logged.node,
            plain(&logged.message),
            plain(&fields)
        );
        match logged.level {
            Level::Debug => self.paint.dim(&format!("· {text}")),
            Level::Info => format!("· {text}"),
            Level::Warn => self.paint.yellow(&format!("! {text}")),
            Level::Error => self.paint.red(&format!("! {text}")),
        }
    }

    /// What a running step is called.
    pub(super) fn title(&self, step: StepRef, attempt: u32) -> String {
        let title = self.called(step);
        if attempt > 1 {
            format!("{title} attempt {attempt}")
        } else {
            title
        }
    }

    /// The step's node.
    pub(super) fn node(&self, step: StepRef) -> &str {
        self.flow
            .nodes
            .get(step.node)
            .map_or("?", |node| node.name.as_str())
    }

    /// How far a map is, after an item of it is over.
    pub(super) fn map_progress(&self, kind: &EventKind) -> Option<(StepRef, u64, u64)> {
        let mut step = over(kind)?;
        step.item?;
        step.item = None;
        let map = self.maps.get(&(step.node, step.visit))?;
        Some((step, map.done, map.total))
    }

    fn entry(&mut self, entry: &Entry) -> Vec<String> {
        match entry {
            Entry::Step(done) => {
                self.visits.insert(done.step.node, done.step.visit);
                let mut lines = match done.step.item {
                    Some(item) => self.item(done, u64::from(item.total)),
                    None => vec![self.step(done)],
                };
                lines.extend(self.round(done));
                lines
            }
            Entry::AttemptFailed {
                step,
                started_at,
                duration_us,
                failure,
                retry_at,
            } => {
                let ended = started_at.plus(Duration::from_micros(*duration_us));
                let wait = duration::human(retry_at.since(ended));
                let most = self
                    .flow
                    .nodes
                    .get(step.node)
                    .map_or(0, |n| n.retry.max_attempts);
                let (called, reason) = (self.called(*step), reason(failure));
                let attempt = failure.attempt;
                vec![self.paint.yellow(&format!(
                    "↻ {called} attempt {attempt} of {most} failed, again in {wait}: {reason}"
                ))]
            }
            Entry::Waiting { step, wait } => {
                let called = self.called(*step);
                let length = duration::human(wait.until.since(wait.started_at));
                let until = duration::date(wait.until);
                vec![
                    self.paint
                        .dim(&format!("… {called} waits for {length}, until {until}")),
                ]
            }
            Entry::TakenOver { server, .. } => {
                vec![self.warning(&format!("taken over by server {server}"))]
            }
            Entry::Retried { .. } => vec![self.paint.yellow("↻ goes on after its end")],
            Entry::Ended { .. } => Vec::new(),
        }
    }

    fn step(&self, done: &StepDone) -> String {
        let called = self.called(done.step);
        if done.skipped {
            return self.paint.dim(&format!("– {called} skipped"));
        }
        let took = duration::human(Duration::from_micros(done.duration_us));
        match &done.failure {
            Some(failure) => {
                format!(
                    "{} {called} {took}  {}",
                    self.paint.red("✗"),
                    reason(failure)
                )
            }
            None => format!(
                "{} {called} {}",
                self.paint.green("✓"),
                self.paint.dim(&took)
            ),
        }
    }

    /// Counts an item, and tells the count now and then.
    fn item(&mut self, done: &StepDone, total: u64) -> Vec<String> {
        let ended = done
            .started_at
            .plus(Duration::from_micros(done.duration_us));
        let key = (done.step.node, done.step.visit);
        let begun = done.started_at;
        let fresh = Map {
            done: 0,
            failed: 0,
            total,
            begun,
            ended,
        };
        let map = self.maps.entry(key).or_insert(fresh);
        let before = map.done * TELLINGS / total.max(1);
        map.done += 1;
        map.begun = map.begun.min(begun);
        map.ended = map.ended.max(ended);
        map.failed += u64::from(done.failure.is_some());
        let map = map.clone();
        let mut lines = Vec::new();
        // The first failures tell the story; a thousand of them would hide it.
        if let Some(failure) = &done.failure
            && map.failed <= TELLINGS
        {
            let (called, reason) = (self.called(done.step), reason(failure));
            lines.push(format!("{} {called}  {reason}", self.paint.red("✗")));
        }
        let called = self.called(StepRef {
            item: None,
            ..done.step
        });
        let failed = match map.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let told = format!(
            "{called} {} of {}{failed}",
            map.done,
            count(map.total, "item")
        );
        if map.done == map.total {
            let took = duration::human(map.ended.since(map.begun));
            let (mark, took) = (self.paint.green("✓"), self.paint.dim(&took));
            lines.push(format!("{mark} {told} {took}"));
        } else if !self.bars && map.done * TELLINGS / total.max(1) > before {
            lines.push(format!("… {told}"));
        }
        lines
    }

    /// The line for a loop that goes round again.
    fn round(&self, done: &StepDone) -> Option<String> {
        let from = done.step.node;
        let back = done
            .fired
            .iter()
            .find_map(|edge| match self.flow.edges.get(*edge)?.to {
                Target::Node(to) if self.flow.graph.is_back_edge(from, to) => Some(to),
                Target::Node(_) | Target::End | Target::Fail => None,
            })?;
        let next = self.visits.get(&back).map_or(1, |visit| visit + 1);
        let name = plain(&self.flow.nodes.get(back)?.name);
        let graph = &self.flow.graph;
        let nested = graph
            .loop_of_header(back)
            .is_some_and(|l| graph.loops()[l].depth > 0);
        // The rounds of a loop inside another start afresh; its visits count on.
        let round = if nested { "visit" } else { "round" };
        Some(format!("↺ back to {name}, {round} {next}"))
    }

    /// `suggest`, `suggest (visit 2)`, `suggest [7]`.
    fn called(&self, step: StepRef) -> String {
        let name = self
            .flow
            .nodes
            .get(step.node)
            .map_or("?", |node| node.name.as_str());
        let mut called = plain(name);
        let in_loop = step.node < self.flow.nodes.len()
            && !self.flow.graph.loops_around(step.node).is_empty();
        if step.visit > 1 || in_loop {
            called.push_str(&format!(" (visit {})", step.visit));
        }
        if let Some(item) = step.item {
            called.push_str(&format!(" [{}]", item.index));
        }
        called
    }

    fn warning(&self, text: &str) -> String {
        self.paint.yellow(&format!("! {text}"))
    }
}

fn reason(failure: &Failure) -> String {
    format!("{}: {}", failure.class.name(), plain(&failure.message))
}
