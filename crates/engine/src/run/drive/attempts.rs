//! Starting attempts, of steps and of the items of maps, and stopping them.
use std::{collections::BTreeSet, sync::Arc};

use runstone_model::{
    failure::{Class, Failure},
    limits::DEFAULT_PARALLEL,
    run::{ItemRef, Outcome, Prepared, StepId, StepRef},
};
use serde_json::Value;

use super::{Driver, Map};
use crate::{
    EventKind,
    node::{Cancelled, Context},
    run::step::{self, Ticket},
};

impl Driver {
    /// Begins a started step: its `if`, its list, or its first attempt.
    pub(super) fn begin(&mut self, id: StepId) {
        let secrets = Arc::clone(&self.engine.inner.options.secrets);
        match self.state.prepare(id, &*secrets) {
            Ok(Prepared::Call(with)) => self.attempt(id, None, with),
            Ok(Prepared::Skip) => self.give(id, None, Outcome::Skipped),
            Ok(Prepared::Items(0)) => self.give(id, None, Outcome::NoItems),
            Ok(Prepared::Items(total)) => {
                let node = self.state.find(id).map(|active| active.node);
                let map = node.and_then(|node| self.state.flow().nodes[node].for_each.as_ref());
                let parallel = map.map_or(DEFAULT_PARALLEL, |map| map.max_parallel).max(1);
                let parallel = usize::try_from(parallel).unwrap_or(usize::MAX);
                let map = Map {
                    next: 0,
                    total,
                    parallel,
                    in_flight: BTreeSet::new(),
                };
                self.maps.insert(id, map);
            }
            Err(failure) => self.give(id, None, Outcome::Failed(failure)),
        }
    }

    /// Tops up every map to its number of parallel items.
    pub(super) fn pump_maps(&mut self) {
        if self.maps.is_empty() {
            return;
        }
        let ids: Vec<StepId> = self.maps.keys().copied().collect();
        for id in ids {
            let Some(active) = self.state.find(id) else {
                self.maps.remove(&id);
                continue;
            };
            let Some(map) = self.maps.get_mut(&id) else {
                continue;
            };
            map.in_flight.retain(|index| !active.item_done(*index));
            let mut begin = Vec::new();
            while map.in_flight.len() < map.parallel && map.next < map.total {
                let index = map.next;
                map.next += 1;
                if active.item_done(index) {
                    continue;
                }
                map.in_flight.insert(index);
                begin.push(index);
            }
            for index in begin {
                if !self.waits_on(id, Some(index)) {
                    self.begin_item(id, index);
                }
            }
        }
    }

    pub(super) fn begin_item(&mut self, id: StepId, index: u32) {
        let item = self.item_ref(id, index);
        let secrets = Arc::clone(&self.engine.inner.options.secrets);
        match self.state.prepare_item(id, index, &*secrets) {
            Ok(with) => self.attempt(id, item, with),
            Err(failure) => self.give(id, item, Outcome::Failed(failure)),
        }
    }

    fn ticket(&self, id: StepId, item: Option<ItemRef>) -> Option<(Ticket, StepRef)> {
        let active = self.state.find(id)?;
        let (attempt, _) = active.next_attempt(item.map(|item| item.index));
        let started_at = self.engine.inner.clock.now();
        let step = StepRef {
            node: active.node,
            visit: active.visit,
            item,
        };
        Some((
            Ticket {
                id,
                item,
                attempt,
                started_at,
            },
            step,
        ))
    }

    /// An outcome that needed no call.
    fn give(&mut self, id: StepId, item: Option<ItemRef>, outcome: Outcome) {
        if let Some((ticket, _)) = self.ticket(id, item) {
            self.finished(ticket, outcome);
        }
    }

    fn attempt(&mut self, id: StepId, item: Option<ItemRef>, with: Value) {
        let Some((ticket, step)) = self.ticket(id, item) else {
            return;
        };
        let flow = Arc::clone(self.state.flow());
        let node = &flow.nodes[step.node];
        let inner = Arc::clone(&self.engine.inner);
        let Some((spec, kind)) = inner.registry.kind(&node.uses) else {
            let message = format!("this program does not know the node kind `{}`", node.uses);
            let failure = Failure::new("unknown_kind", Class::Configuration, message);
            return self.finished(ticket, Outcome::Failed(failure));
        };
        let run = self.state.info().id;
        inner.say(run, || EventKind::AttemptStarted {
            step,
            attempt: ticket.attempt,
        });
        let key = match item {
            None => format!("{run}/{}/{}", node.name, step.visit),
            Some(item) => format!("{run}/{}/{}/{}", node.name, step.visit, item.index),
        };
        let cancelled = Cancelled::default();
        let ctx = Context {
            run,
            node: node.name.as_str().into(),
            visit: step.visit,
            item: item.map(|item| item.index),
            attempt: ticket.attempt,
            started_at: ticket.started_at,
            idempotency_key: key.into(),
            cancelled: cancelled.clone(),
        };
        if spec.instant {
            let outcome = step::attempt_now(kind, ctx, with).unwrap_or_else(|| {
                let message = format!("`{}` calls itself instant but waits", node.uses);
                Outcome::Failed(Failure::new("node_failed", Class::Logic, message))
            });
            return self.finished(ticket, outcome);
        }
        let (kind, timeout) = (Arc::clone(kind), node.timeout);
        let handle = self
            .tasks
            .spawn(async move { (ticket, step::attempt(kind, ctx, with, timeout).await) });
        self.running
            .insert((id, item.map(|item| item.index)), (handle, cancelled));
    }

    /// A task is over.
    pub(super) fn joined(&mut self, joined: Result<(Ticket, Outcome), tokio::task::JoinError>) {
        // A task that was aborted has nothing to say; panics were caught inside.
        if let Ok((ticket, outcome)) = joined {
            self.running
                .remove(&(ticket.id, ticket.item.map(|item| item.index)));
            self.finished(ticket, outcome);
        }
    }

    /// Stops everything of a step.
    pub(super) fn cancel(&mut self, id: StepId) {
        self.maps.remove(&id);
        self.timers.forget(id);
        self.running.retain(|(other, _), (handle, cancelled)| {
            if *other == id {
                cancelled.set();
                handle.abort();
            }
            *other != id
        });
    }
}
