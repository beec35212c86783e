//! Folding entries, and when a run is over.
use std::sync::Arc;

use serde_json::Value;

use super::{
    Status,
    entry::{Entry, RunEnd, StepRef},
    scope::StepScope,
    state::{Effect, RunState},
};
use crate::{
    failure::{Class, Failure},
    time::Timestamp,
};

impl RunState {
    /// Folds one journaled entry. Total: an entry that does not fit (it cannot come from this
    /// program) changes only what it can.
    pub fn apply(&mut self, entry: &Entry) {
        self.seq += 1;
        match entry {
            Entry::Step(done) => {
                if let Some(place) = self.absorb(done) {
                    self.arrive(place, &done.fired);
                    self.settle();
                }
            }
            Entry::AttemptFailed {
                step,
                failure,
                retry_at,
                ..
            } => {
                self.note_attempt(*step, failure.attempt, *retry_at);
            }
            Entry::Waiting { step, wait } => self.note_wait(*step, wait),
            Entry::TakenOver { .. } => {}
            Entry::Retried { .. } => self.retried(),
            Entry::Ended { end, .. } => self.end_with(end.clone()),
        }
    }

    pub(super) fn note_attempt(&mut self, step: StepRef, attempt: u32, retry_at: Timestamp) {
        let item = step.item.map(|item| item.index);
        if let Some(active) = self.started(step) {
            active.waits.remove(&item);
            active.attempts.insert(item, (attempt, retry_at));
            let id = active.id;
            let at = retry_at;
            self.effects.push(Effect::Retry { id, item, at });
        }
    }

    pub(super) fn ended(&mut self, end: RunEnd, at: Timestamp) -> Entry {
        self.end_with(end.clone());
        Entry::Ended { end, at }
    }

    fn end_with(&mut self, end: RunEnd) {
        self.status = match &end {
            RunEnd::Completed(_) => Status::Completed,
            RunEnd::Failed(_) => Status::Failed,
            RunEnd::Cancelled(_) => Status::Cancelled,
        };
        // What was to start does not; what runs is stopped.
        self.effects
            .retain(|effect| matches!(effect, Effect::Cancel(_)));
        self.effects
            .extend(self.active.iter().map(|active| Effect::Cancel(active.id)));
        if self.trunk.view.is_none()
            && let Some(owner) = self.active.first()
        {
            self.trunk.view = Some(Arc::clone(&owner.view));
        }
        self.active.clear();
        self.pending.clear();
        self.arrivals.clear();
        self.effects.push(Effect::Ended);
        self.end = Some(end);
    }

    /// How the run ends now, if it does.
    pub(super) fn conclude(&mut self) -> Option<RunEnd> {
        if self.status.is_final() {
            return None;
        }
        if let Some(failure) = self.broken.take() {
            return Some(RunEnd::Failed(failure));
        }
        if self.started > self.flow.limits.steps {
            let message = format!(
                "the run started more than {} steps; raise `limits.steps` or check its loops",
                self.flow.limits.steps
            );
            let failure = Failure::new("step_limit", Class::Resource, message);
            return Some(RunEnd::Failed(failure));
        }
        if !self.is_idle() {
            return None;
        }
        let view = self.view();
        if let Some(failure) = self.broken.take() {
            return Some(RunEnd::Failed(failure));
        }
        let Some(output) = &self.flow.output else {
            return Some(RunEnd::Completed(Arc::new(view.state_json(&self.flow))));
        };
        Some(match output.eval(&StepScope::new(self, &view)) {
            Ok(output) => RunEnd::Completed(Arc::new(output)),
            Err(error) => {
                let message = format!("the flow's output: {error}");
                RunEnd::Failed(Failure::new("expression", Class::Logic, message))
            }
        })
    }

    /// The state as JSON with everything folded in so far.
    pub fn state_json(&mut self) -> Value {
        let view = self.view();
        view.state_json(&self.flow)
    }
}
