//! One attempt of one step: calling the node, its time limit, its panics, the size of its result.
use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use runstone_model::{
    failure::{Class, Failure},
    limits::{MAX_DEPTH, MAX_RESULT_BYTES},
    run::{ItemRef, Outcome, StepId},
};
use serde_json::Value;

use crate::node::{Context, Node, NodeError, Outcome as NodeOutcome};

/// Which attempt, for whoever takes its outcome.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) id: StepId,
    pub(super) item: Option<ItemRef>,
    pub(super) attempt: u32,
    pub(super) started_at: runstone_model::time::Timestamp,
}

/// Runs one attempt to its end. Never panics.
pub(super) async fn attempt(
    node: Arc<dyn Node>,
    ctx: Context,
    with: Value,
    timeout: Option<Duration>,
) -> Outcome {
    let (name, number) = (Arc::clone(&ctx.node), ctx.attempt);
    let call = AssertUnwindSafe(async { node.run(ctx, with).await }).catch_unwind();
    let called = match timeout {
        None => call.await,
        Some(limit) => match tokio::time::timeout(limit, call).await {
            Ok(called) => called,
            Err(_) => {
                let mut failure = Failure::timed_out(limit).in_node(&name);
                failure.attempt = number;
                return Outcome::Failed(failure);
            }
        },
    };
    judge(&name, number, called)
}

/// Runs an instant node in place; gives it back when it wants to wait after all.
pub(super) fn attempt_now(node: &Arc<dyn Node>, ctx: Context, with: Value) -> Option<Outcome> {
    let (name, number) = (Arc::clone(&ctx.node), ctx.attempt);
    let call = std::panic::catch_unwind(AssertUnwindSafe(|| node.run(ctx, with).now_or_never()));
    match call {
        Ok(None) => None,
        Ok(Some(called)) => Some(judge(&name, number, Ok(called))),
        Err(panic) => Some(judge(&name, number, Err(panic))),
    }
}

fn judge(
    node: &str,
    attempt: u32,
    called: Result<Result<NodeOutcome, NodeError>, Box<dyn Any + Send>>,
) -> Outcome {
    let failure = match called {
        Ok(Ok(outcome)) => match too_large(&outcome.result) {
            None => {
                let result = outcome.result;
                return match outcome.until {
                    Some(until) => Outcome::Later { until, result },
                    None => Outcome::Done(result),
                };
            }
            Some(message) => NodeError::new(Class::Resource, message),
        },
        Ok(Err(error)) => error,
        Err(panic) => {
            let said = panic
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            NodeError::new(Class::Logic, format!("the node panicked: {said}"))
        }
    };
    Outcome::Failed(failure.into_failure(node, attempt))
}

fn too_large(result: &Value) -> Option<String> {
    let mut left = MAX_RESULT_BYTES;
    if !depth_fits(result, MAX_DEPTH) {
        return Some(format!("the result is nested more than {MAX_DEPTH} deep"));
    }
    (!size_fits(result, &mut left)).then(|| {
        format!(
            "the result is over the limit of {MAX_RESULT_BYTES} bytes as JSON; \
             store it elsewhere and give its address"
        )
    })
}

/// Whether the value is nested at most `depth` deep.
pub(super) fn depth_fits(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(list) => depth > 0 && list.iter().all(|v| depth_fits(v, depth - 1)),
        Value::Object(map) => depth > 0 && map.values().all(|v| depth_fits(v, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Whether the value's JSON is at most `left` bytes, counting without writing it.
fn size_fits(value: &Value, left: &mut usize) -> bool {
    let own = match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(list) => list.len() + 2,
        Value::Object(map) => map.keys().map(|key| key.len() + 4).sum::<usize>() + 2,
    };
    match left.checked_sub(own) {
        None => return false,
        Some(rest) => *left = rest,
    }
    match value {
        Value::Array(list) => list.iter().all(|v| size_fits(v, left)),
        Value::Object(map) => map.values().all(|v| size_fits(v, left)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
