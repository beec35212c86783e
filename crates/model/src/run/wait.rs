//! Steps that have their result and wait for a time: noting the wait, when it is due, what comes of
//! it then. Whether the time has come is the engine's to say; a step that does not wait, or waits in
//! another attempt, refuses it.
use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    entry::{Entry, ItemRef, StepRef, Wait},
    handle::{Attempt, Outcome, Rejection},
    state::{Active, Effect, RunState, StepId},
};
use crate::{failure::Failure, flow::Node, time::Timestamp};

/// What a started step waits for, by item.
pub(super) type Waits = BTreeMap<Option<u32>, (Option<ItemRef>, Wait)>;

impl Wait {
    /// When the wait of a step of `node` is over.
    #[must_use]
    pub fn due(&self, node: &Node) -> Timestamp {
        self.limit(node)
            .map_or(self.until, |limit| limit.min(self.until))
    }

    fn limit(&self, node: &Node) -> Option<Timestamp> {
        node.timeout.map(|timeout| self.started_at.plus(timeout))
    }

    /// What the attempt gave, now that it is due.
    fn outcome(&self, node: &Node) -> Outcome {
        let (Some(limit), Some(timeout)) = (self.limit(node), node.timeout) else {
            return Outcome::Done(Value::clone(&self.result));
        };
        if self.until <= limit {
            return Outcome::Done(Value::clone(&self.result));
        }
        Outcome::Failed(Failure::timed_out(timeout))
    }
}

impl Active {
    /// What the step (or item) waits for.
    #[must_use]
    pub fn wait(&self, item: Option<u32>) -> Option<&Wait> {
        self.waits.get(&item).map(|(_, wait)| wait)
    }
}

impl RunState {
    /// The attempt is over and its result waits for `until`.
    pub(super) fn begin_wait(
        &mut self,
        attempt: Attempt,
        until: Timestamp,
        result: Value,
    ) -> Entry {
        let wait = Wait {
            attempt: attempt.number,
            started_at: attempt.started_at,
            until,
            result: Arc::new(result),
        };
        self.note_wait(attempt.step, &wait);
        Entry::Waiting {
            step: attempt.step,
            wait,
        }
    }

    pub(super) fn note_wait(&mut self, step: StepRef, wait: &Wait) {
        let flow = Arc::clone(&self.flow);
        let (Some(node), Some(active)) = (flow.nodes.get(step.node), self.started(step)) else {
            return;
        };
        let item = step.item.map(|item| item.index);
        active.waits.insert(item, (step.item, wait.clone()));
        let id = active.id;
        let at = wait.due(node);
        self.effects.push(Effect::Wait { id, item, at });
    }

    /// The started step that `step` names.
    pub(super) fn started(&mut self, step: StepRef) -> Option<&mut Active> {
        self.active
            .iter_mut()
            .find(|active| active.node == step.node && active.visit == step.visit)
    }

    /// The time of a wait has come.
    pub(super) fn due(
        &mut self,
        id: StepId,
        item: Option<u32>,
        attempt: u32,
        now: Timestamp,
    ) -> Result<Vec<Entry>, Rejection> {
        let flow = Arc::clone(&self.flow);
        let active = self.find(id).ok_or(Rejection::NotRunning)?;
        if item.is_some_and(|index| active.item_done(index)) {
            return Err(Rejection::NotRunning);
        }
        let (item, wait) = active.waits.get(&item).ok_or(Rejection::NotWaiting)?;
        if wait.attempt != attempt {
            let (want, got) = (wait.attempt, attempt);
            return Err(Rejection::StaleAttempt { want, got });
        }
        let took = now.since(wait.started_at).as_micros();
        let attempt = Attempt {
            step: StepRef {
                node: active.node,
                visit: active.visit,
                item: *item,
            },
            number: wait.attempt,
            started_at: wait.started_at,
            duration_us: u64::try_from(took).unwrap_or(u64::MAX),
        };
        let outcome = wait.outcome(&flow.nodes[active.node]);
        Ok(self.finished(id, attempt, outcome, now))
    }
}
