//! A step is over: taking it off the active ones and into the history. Used by deciding and by
//! replay alike.
use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    entry::StepDone,
    state::{Finished, ItemDone, Items, RunState},
    view::patch_value,
};

impl RunState {
    /// Takes the finished step (or item) in. Gives its place in the history once the whole step is
    /// over; `None` while items of its map are missing, or when the step is not active.
    pub(super) fn absorb(&mut self, done: &StepDone) -> Option<usize> {
        let step = done.step;
        let at = self
            .active
            .iter()
            .position(|a| a.node == step.node && a.visit == step.visit)?;
        self.committed += 1;
        let patch: Vec<_> = (0..done.patch.len())
            .map(|i| (done.patch[i].0, patch_value(done, i)))
            .collect();
        let Some(item) = step.item else {
            let result = Arc::clone(&done.result);
            return Some(self.finish(at, patch, result, done));
        };
        let active = &mut self.active[at];
        active.attempts.remove(&Some(item.index));
        active.waits.remove(&Some(item.index));
        let items = active.items.get_or_insert_with(|| Items {
            total: item.total,
            done: BTreeMap::new(),
        });
        items.done.insert(
            item.index,
            ItemDone {
                result: Arc::clone(&done.result),
                patch,
            },
        );
        if (items.done.len() as u64) < u64::from(items.total) {
            return None;
        }
        let items = active.items.take()?;
        let mut results = Vec::with_capacity(items.done.len());
        let mut patch = Vec::new();
        for item in items.done.into_values() {
            results.push(Arc::unwrap_or_clone(item.result));
            patch.extend(item.patch);
        }
        Some(self.finish(at, patch, Arc::new(Value::Array(results)), done))
    }

    fn finish(
        &mut self,
        at: usize,
        patch: Vec<(usize, Arc<Value>)>,
        result: Arc<Value>,
        done: &StepDone,
    ) -> usize {
        let active = self.active.remove(at);
        let owns_trunk = self.trunk.view.is_none();
        let whole_failed = done.failure.is_some() && done.step.item.is_none();
        self.history.push(Finished {
            node: active.node,
            port: active.port,
            number: active.number,
            depth: active.depth,
            clock: active.clock,
            patch,
            result: Some(result),
            failure: done.failure.clone().filter(|_| whole_failed).map(Arc::new),
            before: Some(active.view),
            after: None,
        });
        let place = self.history.len() - 1;
        if owns_trunk {
            self.trunk.view = Some(self.after(place));
            self.trunk.clock[active.port as usize] = active.number;
        }
        place
    }
}
