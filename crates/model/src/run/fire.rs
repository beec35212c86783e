//! Which edges fire out of a finished step. An expression that fails to evaluate is never taken
//! for false: it fails the run.
use std::sync::Arc;

use super::{
    scope::{StepScope, brief},
    state::RunState,
};
use crate::{
    expr::EvalError,
    failure::{Class, Failure},
    flow::{EdgeIx, Fires, Flow, OnError, Target},
};

/// The secret of that name is not set. `mend` says how to, where that is known.
pub(super) fn no_secret(node: &str, name: &str, mend: Option<String>) -> Failure {
    let mend = mend.map(|mend| format!(": {mend}")).unwrap_or_default();
    let message = format!("`with` of {node} needs the secret `{name}`, which is not set{mend}");
    Failure::new("no_secret", Class::Configuration, message).in_node(node)
}

pub(super) fn expression_failure(node: &str, place: &str, error: &EvalError) -> Failure {
    Failure::new(
        "expression",
        Class::Logic,
        format!("{place} of {node}: {error}"),
    )
    .in_node(node)
}

impl RunState {
    /// The edges that fire out of the step at `place` in the history.
    pub(super) fn fire(&mut self, place: usize) -> Result<Vec<EdgeIx>, Failure> {
        let flow = Arc::clone(&self.flow);
        let node = &flow.nodes[self.history[place].node];
        if self.history[place].failure.is_some() {
            match node.on_error {
                OnError::Fail => return Ok(Vec::new()),
                OnError::Goto => return Ok(node.error_edge.into_iter().collect()),
                OnError::Continue => {}
            }
        }
        let plain = |at: &EdgeIx| {
            matches!(flow.edges[*at].fires, Fires::Always) && flow.edges[*at].max.is_none()
        };
        if node.outgoing.iter().all(plain) {
            return Ok(node.outgoing.clone());
        }
        self.fire_conditional(&flow, place)
    }

    fn fire_conditional(&mut self, flow: &Flow, place: usize) -> Result<Vec<EdgeIx>, Failure> {
        let view = self.after(place);
        let done = &self.history[place];
        let node = &flow.nodes[done.node];
        let mut scope = StepScope::new(self, &view);
        scope.clock = Some(&done.clock);
        scope.error = done.failure.as_deref();
        scope.result = done.result.as_deref();
        let mut fired = Vec::new();
        let mut said = Vec::new();
        let mut conditional = false;
        let mut fallback = None;
        for &at in &node.outgoing {
            let edge = &flow.edges[at];
            let to = target_name(flow, edge.to);
            let used_up = edge
                .max
                .is_some_and(|max| self.fired.get(&at).copied().unwrap_or(0) >= max);
            let test = |expr: &crate::expr::Expr| {
                expr.test(&scope).map_err(|error| {
                    let place = format!("the condition of the edge to {to}");
                    expression_failure(&node.name, &place, &error)
                })
            };
            let fires = match &edge.fires {
                Fires::Always => !used_up,
                Fires::When(expr) if used_up => {
                    said.push(format!("to {to}: used up its max ({})", expr.source()));
                    false
                }
                Fires::When(expr) => {
                    let fires = test(expr)?;
                    said.push(format!("to {to}: `{}` is {fires}", expr.source()));
                    fires
                }
                Fires::Else => {
                    fallback = Some(at);
                    continue;
                }
                Fires::Route(expr) => {
                    let fires = !used_up && expr.as_ref().map_or(Ok(true), test)?;
                    said.push(format!(
                        "to {to}: `{}` is {fires}",
                        expr.as_ref().map_or("true", |expr| expr.source())
                    ));
                    if fires {
                        return Ok(vec![at]);
                    }
                    continue;
                }
                Fires::Error => continue,
            };
            if fires {
                fired.push(at);
                conditional |= edge.max.is_some() || matches!(edge.fires, Fires::When(_));
            }
        }
        if !conditional {
            fired.extend(fallback);
        }
        if fired.is_empty() {
            return Err(dead_end(&node.name, &said, done.result.as_deref()));
        }
        fired.sort_unstable();
        Ok(fired)
    }

    /// The failure of the first fired edge that leads to `fail`.
    pub(super) fn failing_edge(&mut self, place: usize, fired: &[EdgeIx]) -> Option<Failure> {
        let flow = Arc::clone(&self.flow);
        let edge = fired
            .iter()
            .map(|at| &flow.edges[*at])
            .find(|e| e.to == Target::Fail)?;
        let view = self.after(place);
        let done = &self.history[place];
        let name = &flow.nodes[done.node].name;
        let message = match &edge.message {
            None => Ok(format!("the flow failed the run after {name}")),
            Some(template) => {
                let mut scope = StepScope::new(self, &view);
                scope.clock = Some(&done.clock);
                scope.error = done.failure.as_deref();
                scope.result = done.result.as_deref();
                template.eval(&scope).map(|value| match value {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                })
            }
        };
        Some(match message {
            Ok(message) => Failure::new("failed_by_flow", Class::Logic, message).in_node(name),
            Err(error) => expression_failure(name, "the message", &error),
        })
    }
}

fn dead_end(node: &str, said: &[String], result: Option<&serde_json::Value>) -> Failure {
    let message = format!(
        "nothing leads on from {node}: {}; its result was {}. \
         Add an edge with `else: true` or widen a condition",
        said.join("; "),
        result.map(brief).unwrap_or_default()
    );
    Failure::new("dead_end", Class::Logic, message).in_node(node)
}

fn target_name(flow: &Flow, to: Target) -> &str {
    match to {
        Target::Node(node) => &flow.nodes[node].name,
        Target::End => "end",
        Target::Fail => "fail",
    }
}
