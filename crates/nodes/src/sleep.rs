//! `sleep`: a pause. A short one is made in memory, on tokio's clock; a longer one is a time in the
//! journal that the engine waits for, so that it neither takes memory nor starts over.
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    span::{self, Span},
    with,
};

/// The longest pause: ten years.
pub const MAX: Duration = Duration::from_secs(3650 * 86_400);
/// Up to this one a pause is made in memory: two rows in the journal would cost more than beginning
/// it again after a crash.
pub const SHORT: Duration = Duration::from_secs(2);

/// The kind `sleep`.
#[derive(Clone, Copy, Debug)]
pub struct Sleep;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    r#for: Span,
}

async fn pause(ctx: Context, with: Value) -> Result<Outcome, NodeError> {
    let With {
        r#for: Span(length),
    } = with::read("sleep", with)?;
    if length > MAX {
        return Err(with::invalid(format!(
            "`for: {}` is longer than a sleep may be (3650d, ten years)",
            span::show(length)
        )));
    }
    let slept_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    let result = json!({"slept_ms": slept_ms});
    if length > SHORT {
        return Ok(Outcome::at(ctx.started_at.plus(length), result));
    }
    tokio::time::sleep(length).await;
    Ok(result.into())
}

impl Node for Sleep {
    fn spec(&self) -> Spec {
        Spec {
            name: "sleep",
            summary: "Pauses for up to ten years",
            with: json!({
                "type": "object",
                "properties": {"for": span::schema("How long: 700ms, 30s, 7d, or milliseconds")},
                "required": ["for"],
                "additionalProperties": false,
            }),
            result: json!({
                "type": "object",
                "properties": {"slept_ms": {"type": "integer"}},
                "required": ["slept_ms"],
            }),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        pause(ctx, with).boxed()
    }
}
