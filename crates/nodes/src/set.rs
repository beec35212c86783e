//! `set`: its `with` is its result, and the engine makes it the patch of the state too.
use futures::future::{self, BoxFuture, FutureExt};
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use serde_json::{Value, json};

/// The kind `set`.
#[derive(Clone, Copy, Debug)]
pub struct Set;

impl Node for Set {
    fn spec(&self) -> Spec {
        Spec {
            name: "set",
            summary: "Writes the keys of `with` to the state; they are its result too",
            with: json!({
                "type": "object",
                "description": "State keys and their new values",
                "additionalProperties": true,
            }),
            result: json!({"type": "object"}),
            side_effects: false,
            instant: true,
        }
    }

    fn run<'a>(&'a self, _ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        future::ready(Ok(with.into())).boxed()
    }
}
