//! `assert`: stops the run when something that must hold does not.
use futures::future::{self, BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_model::failure::Class;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::with;

/// The kind `assert`.
#[derive(Clone, Copy, Debug)]
pub struct Assert;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct With {
    that: bool,
    message: Option<String>,
}

fn check(node: &str, with: Value) -> Result<Outcome, NodeError> {
    let With { that, message } = with::read("assert", with)?;
    if that {
        return Ok(Value::Bool(true).into());
    }
    let message = message.unwrap_or_else(|| format!("what `{node}` asserts does not hold"));
    let mut error = NodeError::new(Class::Logic, message);
    error.retryable = Some(false);
    Err(error)
}

impl Node for Assert {
    fn spec(&self) -> Spec {
        Spec {
            name: "assert",
            summary: "Fails with `message` unless `that` is true",
            with: json!({
                "type": "object",
                "properties": {
                    "that": {"type": "boolean", "description": "What must be true"},
                    "message": {"type": "string", "description": "What to say when it is not"},
                },
                "required": ["that"],
                "additionalProperties": false,
            }),
            result: json!({"const": true}),
            side_effects: false,
            instant: true,
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        future::ready(check(&ctx.node, with)).boxed()
    }
}
