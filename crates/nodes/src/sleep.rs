//! `sleep`: a short pause in memory, on tokio's clock; it starts over after a restart.
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    span::{self, Span},
    with,
};

/// The longest pause.
pub const MAX: Duration = Duration::from_secs(3600);

/// The kind `sleep`.
#[derive(Clone, Copy, Debug)]
pub struct Sleep;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    r#for: Span,
}

async fn pause(with: Value) -> Result<Outcome, NodeError> {
    let With {
        r#for: Span(length),
    } = with::read("sleep", with)?;
    if length > MAX {
        return Err(with::invalid(format!(
            "`for: {}` is longer than a sleep may be (1h): a sleep holds its run in memory and \
             starts over after a restart; let several sleeps follow each other, those that are \
             over are not repeated",
            span::show(length)
        )));
    }
    tokio::time::sleep(length).await;
    let slept_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
    Ok(json!({"slept_ms": slept_ms}).into())
}

impl Node for Sleep {
    fn spec(&self) -> Spec {
        Spec {
            name: "sleep",
            summary: "Pauses for up to an hour",
            with: json!({
                "type": "object",
                "properties": {"for": span::schema("How long: 700ms, 30s, or milliseconds")},
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

    fn run<'a>(&'a self, _ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        pause(with).boxed()
    }
}
