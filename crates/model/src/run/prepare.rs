//! What a started step is about to do: its `if`, its list, its `with`. Evaluated when it starts and
//! again after a crash, from the same view, so the answer is the same; none of it is journaled.
use std::sync::Arc;

use serde_json::Value;

use super::{
    fire::{expression_failure, no_secret},
    scope::{Secrets, StepScope},
    state::{RunState, StepId},
};
use crate::{
    expr::EvalError,
    failure::{Class, Failure},
    flow::Node,
    limits::MAX_ITEMS,
};

/// What to do for a started step.
#[derive(Clone, Debug, PartialEq)]
pub enum Prepared {
    /// `if` is false.
    Skip,
    /// Run the node with this.
    Call(Value),
    /// Run the node once for each of this many items; see [`RunState::prepare_item`].
    Items(u32),
}

impl RunState {
    /// What to do for the started step `id`. A failure is the step's: handle it as the outcome of
    /// its first attempt.
    pub fn prepare(&mut self, id: StepId, secrets: &dyn Secrets) -> Result<Prepared, Failure> {
        let flow = Arc::clone(&self.flow);
        let Some(active) = self.find(id) else {
            return Err(gone());
        };
        let node = &flow.nodes[active.node];
        let failed = |place: &'static str| {
            move |error: EvalError| expression_failure(&node.name, place, &error)
        };
        let mut scope = StepScope::new(self, &active.view);
        scope.clock = Some(&active.clock);
        scope.error = active.error.as_deref();
        if let Some(condition) = &node.condition
            && !condition.test(&scope).map_err(failed("`if`"))?
        {
            return Ok(Prepared::Skip);
        }
        let Some(map) = &node.for_each else {
            scope.secrets = Some(secrets);
            return Ok(Prepared::Call(with_of(node, &scope, secrets)?));
        };
        match map.list.eval(&scope).map_err(failed("`for_each`"))? {
            Value::Array(items) if items.len() <= MAX_ITEMS => {
                let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
                let active = self.active.iter_mut().find(|active| active.id == id);
                if let Some(active) = active {
                    active.list = Some(items.into());
                }
                Ok(Prepared::Items(total))
            }
            Value::Array(items) => {
                let message = format!(
                    "`for_each` of {} has {} items, more than the limit of {MAX_ITEMS}; \
                     split the list over several runs",
                    node.name,
                    items.len()
                );
                Err(Failure::new("too_many_items", Class::Resource, message).in_node(&node.name))
            }
            other => {
                let message = format!(
                    "`for_each` of {} needs a list, got {}",
                    node.name,
                    super::scope::brief(&other)
                );
                Err(Failure::new("expression", Class::Logic, message).in_node(&node.name))
            }
        }
    }

    /// The `with` of one item; after [`Self::prepare`] has given the number of items.
    pub fn prepare_item(
        &self,
        id: StepId,
        index: u32,
        secrets: &dyn Secrets,
    ) -> Result<Value, Failure> {
        let Some(active) = self.find(id) else {
            return Err(gone());
        };
        let node = &self.flow.nodes[active.node];
        let mut scope = StepScope::new(self, &active.view);
        scope.clock = Some(&active.clock);
        scope.error = active.error.as_deref();
        scope.item = active.item(index);
        scope.secrets = Some(secrets);
        with_of(node, &scope, secrets)
    }
}

fn with_of(node: &Node, scope: &StepScope<'_>, secrets: &dyn Secrets) -> Result<Value, Failure> {
    node.with.eval(scope).map_err(|error| match &error.secret {
        Some(secret) => no_secret(&node.name, secret, secrets.mend(secret)),
        None => expression_failure(&node.name, "`with`", &error),
    })
}

fn gone() -> Failure {
    Failure::new(
        "cancelled",
        Class::Cancelled,
        "the step is no longer running",
    )
}
