//! Views: folding what steps wrote, in the order (causal depth, declaration order of the node, item
//! index), so that it never depends on timing.
use std::{collections::BTreeMap, sync::Arc};

use super::{clock::Clock, state::RunState, view::View};
use crate::{
    failure::{Class, Failure},
    flow::NodeIx,
    reducer::Reducer,
};

impl RunState {
    /// The view of a step with these finished steps right before it and `clock` as its past.
    pub(super) fn view_of(&mut self, past: &[usize], clock: &Clock) -> Arc<View> {
        // A step that has all the others in its past already holds the fold.
        let last = past
            .iter()
            .copied()
            .max_by_key(|at| self.history[*at].depth);
        match last {
            Some(at) if self.history[at].clock == *clock => {
                let sole = self.is_idle() && self.history.len() == 1;
                let view = self.after(at);
                if sole {
                    // About to be moved into the only live step: let go of every other handle.
                    self.history[at].after = None;
                    self.trunk.view = None;
                }
                view
            }
            Some(_) => self.fold(Some(clock)),
            None => match self.is_idle().then(|| self.trunk.view.take()).flatten() {
                Some(view) => view,
                None => self.trunk_view(),
            },
        }
    }

    fn trunk_view(&self) -> Arc<View> {
        self.trunk
            .view
            .clone()
            .unwrap_or_else(|| Arc::new(View::initial(&self.flow)))
    }

    /// The view after the finished step `at`.
    pub(super) fn after(&mut self, at: usize) -> Arc<View> {
        let done = &mut self.history[at];
        if let Some(after) = &done.after {
            return Arc::clone(after);
        }
        let Some(mut view) = done.before.take() else {
            let clock = done.clock.clone();
            return self.fold(Some(&clock));
        };
        let mut broken = None;
        let own = Arc::make_mut(&mut view);
        for (key, value) in &done.patch {
            if let Err(why) = own.write(&self.flow, *key, value) {
                broken.get_or_insert((done.node, why));
            }
        }
        if let Some(result) = &done.result {
            own.set_result(done.node, result);
        }
        done.after = Some(Arc::clone(&view));
        if let Some((node, why)) = broken {
            self.break_with_patch(node, why);
        }
        view
    }

    fn break_with_patch(&mut self, node: NodeIx, why: String) {
        let name = &self.flow.nodes[node].name;
        self.broken.get_or_insert_with(|| {
            Failure::new(
                "patch",
                Class::Validation,
                format!("{name} cannot write {why}"),
            )
            .in_node(name)
        });
    }

    /// Folds the finished steps in `clock` (all of them without one) onto the trunk.
    pub(super) fn fold(&mut self, clock: Option<&Clock>) -> Arc<View> {
        let mut view = self.trunk_view();
        let trunk = &self.trunk.clock;
        let mut order: Vec<usize> = (0..self.history.len())
            .filter(|at| {
                let done = &self.history[*at];
                done.number > trunk.get(done.port as usize).copied().unwrap_or(0)
                    && clock.is_none_or(|c| c.get(done.port, trunk) >= done.number)
            })
            .collect();
        order.sort_by_key(|at| {
            let done = &self.history[*at];
            (done.depth, done.node, done.port, done.number)
        });
        let own = Arc::make_mut(&mut view);
        let mut last_writer: BTreeMap<usize, usize> = BTreeMap::new();
        let mut broken = None;
        for at in order {
            let done = &self.history[at];
            for (key, value) in &done.patch {
                let replaces = self
                    .flow
                    .state
                    .get(*key)
                    .is_some_and(|k| k.reducer == Reducer::Replace);
                if replaces && let Some(other) = last_writer.insert(*key, at) {
                    let other = &self.history[other];
                    if other.node != done.node && done.clock.get(other.port, trunk) < other.number {
                        broken.get_or_insert((*key, other.node, done.node, None));
                    }
                }
                if let Err(why) = own.write(&self.flow, *key, value) {
                    broken.get_or_insert((*key, done.node, done.node, Some(why)));
                }
            }
            if let Some(result) = &done.result {
                own.set_result(done.node, result);
            }
        }
        match broken {
            Some((_, node, _, Some(why))) => self.break_with_patch(node, why),
            Some((key, a, b, None)) => self.break_with_conflict(key, a, b),
            None => {}
        }
        view
    }

    fn break_with_conflict(&mut self, key: usize, a: NodeIx, b: NodeIx) {
        let (a, b) = (&self.flow.nodes[a].name, &self.flow.nodes[b].name);
        let key = &self.flow.state[key].name;
        self.broken.get_or_insert_with(|| {
            let message = format!(
                "the parallel branches of {a} and {b} both wrote state.{key}; \
                 give `{key}` a reducer such as append or merge, or let one branch write it"
            );
            Failure::new("write_conflict", Class::Logic, message).in_node(b)
        });
    }

    /// The state and results with everything committed so far, as a finished run sees them.
    pub fn view(&mut self) -> Arc<View> {
        if let [only] = self.active.as_slice()
            && self.trunk.view.is_none()
        {
            return Arc::clone(&only.view);
        }
        if self.history.len() == 1 {
            return self.after(0);
        }
        self.fold(None)
    }
}
