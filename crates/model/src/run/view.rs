//! What a step sees: the state and the last results, shared between branches until one writes.
use std::sync::Arc;

use serde_json::Value;

use super::entry::StepDone;
use crate::flow::{Flow, NodeIx};

/// State by declared key, results by node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Values in the order of [`Flow::state`].
    pub state: Vec<Arc<Value>>,
    /// Last result of each node; `None` before its first.
    pub results: Vec<Option<Arc<Value>>>,
}

impl View {
    /// The view before the first step.
    pub(super) fn initial(flow: &Flow) -> Self {
        Self {
            state: flow
                .state
                .iter()
                .map(|key| Arc::new(key.default.clone()))
                .collect(),
            results: vec![None; flow.nodes.len()],
        }
    }

    /// Folds one write; the value is changed in place when nobody else holds it.
    pub(super) fn write(
        &mut self,
        flow: &Flow,
        key: usize,
        value: &Arc<Value>,
    ) -> Result<(), String> {
        let (Some(slot), Some(declared)) = (self.state.get_mut(key), flow.state.get(key)) else {
            return Err(format!("the flow has no state key number {key}"));
        };
        if declared.reducer == crate::reducer::Reducer::Replace {
            *slot = Arc::clone(value);
            return Ok(());
        }
        declared
            .reducer
            .fold(Arc::make_mut(slot), Value::clone(value))
            .map_err(|why| format!("state.{}: {why}", declared.name))
    }

    pub(super) fn set_result(&mut self, node: NodeIx, result: &Arc<Value>) {
        if let Some(slot) = self.results.get_mut(node) {
            *slot = Some(Arc::clone(result));
        }
    }

    /// The state as one JSON object.
    #[must_use]
    pub fn state_json(&self, flow: &Flow) -> Value {
        let pairs = flow.state.iter().zip(&self.state);
        Value::Object(
            pairs
                .map(|(k, v)| (k.name.clone(), Value::clone(v)))
                .collect(),
        )
    }
}

/// The value that a patch entry stands for.
pub(super) fn patch_value(done: &StepDone, at: usize) -> Arc<Value> {
    done.patch
        .get(at)
        .map_or_else(Default::default, |(_, value)| value.resolve(&done.result))
}
