//! What a run waits for: the next attempts of steps, the times of those that have their result, its
//! deadline; and leaving this process while it does nothing but wait.
//!
//! Inside a process time is told by instants and not by the time of day: who sets the clock back must
//! not make a wait longer. A parked run has only the time of day.
use std::{collections::BTreeSet, time::Duration};

use runstone_model::{
    run::{Command, Effect, Entry, StepId},
    time::Timestamp,
};
use tokio::time::Instant;

use super::Driver;
use crate::{EventKind, run::start::RunResult, tally};

/// The model makes no wait for another attempt longer than this.
const LONGEST_RETRY: Duration = Duration::from_secs(86_400);
/// Further away than anything that a step may wait for.
const FAR: Duration = Duration::from_secs(50 * 366 * 86_400);

/// Steps and items by when they go on.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Instant, StepId, Option<u32>)>);

impl Timers {
    pub(super) fn forget(&mut self, id: StepId) {
        self.0.retain(|(_, other, _)| *other != id);
    }
}

impl Driver {
    /// When the step (or item) has to wait, it is noted; false when it does not. It never waits
    /// longer than its wait was long when that began: the clock may have been set back since.
    pub(super) fn waits_on(&mut self, id: StepId, item: Option<u32>) -> bool {
        let Some(active) = self.state.find(id) else {
            return false;
        };
        let now = self.engine.inner.clock.now();
        let wait = match (active.wait(item), active.next_attempt(item).1) {
            (Some(wait), _) => {
                let due = wait.due(&self.state.flow().nodes[active.node]);
                due.since(now).min(due.since(wait.started_at))
            }
            (None, Some(at)) => at.since(now).min(LONGEST_RETRY),
            (None, None) => return false,
        };
        let at = Instant::now() + wait.min(FAR);
        self.timers.0.insert((at, id, item));
        true
    }

    /// The nearest time at which something goes on by itself.
    pub(super) fn next_time(&self) -> Option<Instant> {
        let next = self.timers.0.first().map(|(at, ..)| *at);
        next.into_iter().chain(self.deadline).min()
    }

    /// Goes on with those whose wait is over.
    pub(super) fn time_has_come(&mut self) {
        let now = Instant::now();
        while let Some((at, id, item)) = self.timers.0.first().copied()
            && at <= now
        {
            self.timers.0.pop_first();
            let wait = self.state.find(id).and_then(|active| active.wait(item));
            match (wait.map(|wait| wait.attempt), item) {
                (Some(attempt), item) => {
                    self.ready.push_back(Command::Due { id, item, attempt });
                }
                (None, Some(index)) => self.begin_item(id, index),
                (None, None) => self.begin(id),
            }
        }
    }

    /// Until when nothing happens, when that is long enough to leave this process: everything that
    /// was started waits for a time.
    pub(super) fn idle_until(&self) -> Option<Timestamp> {
        let least = self.engine.inner.options.park?;
        if !self.running.is_empty() || !self.ready.is_empty() || self.timers.0.is_empty() {
            return None;
        }
        let wait = self.next_time()?.saturating_duration_since(Instant::now());
        (wait >= least).then(|| self.engine.inner.clock.now().plus(wait))
    }

    /// The same, for when what was just decided is durable. A map may have more to start then.
    pub(super) fn idles_after(&mut self) -> Option<Timestamp> {
        self.engine.inner.options.park?;
        let wait = |effect: &Effect| matches!(effect, Effect::Retry { .. } | Effect::Wait { .. });
        let effects = self.state.effects();
        if effects.is_empty() || !effects.iter().all(wait) || !self.maps.is_empty() {
            return None;
        }
        // Noting that a step waits does nothing that would have to be durable first.
        self.carry_out();
        self.idle_until()
    }

    /// Makes `entries` durable, gives the run up in the same transaction, and leaves.
    pub(super) async fn park(&mut self, entries: Vec<Entry>, until: Timestamp) -> RunResult {
        if let Err(result) = self.commit(entries, Some(until)).await {
            return result;
        }
        tally::add(&self.engine.inner.tally.parked);
        let id = self.state.info().id;
        self.engine.inner.say(id, || EventKind::Parked { until });
        self.engine.inner.wakes.note(until);
        RunResult::Parked { until }
    }
}
