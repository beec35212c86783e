//! The node kinds as an engine sees them: through the trait, with their schemas checked around every
//! call, so that a schema that lies fails a test here.
#![expect(clippy::unwrap_used, reason = "tests")]
mod code;
mod data;
mod docs;
mod examples;
mod folders;
mod fuzz;
mod metrics;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use runstone_engine::node::{Cancelled, Context, Node, NodeError};
use runstone_model::ids::RunId;
use runstone_nodes::{Builtin, builtin};
use serde_json::Value;

/// The kinds by name.
fn kinds(options: Builtin) -> BTreeMap<&'static str, Arc<dyn Node>> {
    builtin(options)
        .into_iter()
        .map(|kind| (kind.spec().name, kind))
        .collect()
}

/// What an attempt gets from an engine.
fn context() -> Context {
    Context {
        run: RunId(uuid::Uuid::nil()),
        node: Arc::from("a_node"),
        visit: 1,
        item: None,
        attempt: 1,
        started_at: runstone_model::time::Timestamp(1_000_000),
        idempotency_key: Arc::from("key-1"),
        cancelled: Cancelled::default(),
    }
}

/// Runs one attempt; `with` and the result must fit the kind's schemas.
async fn run(kind: &str, with: Value) -> Result<Value, NodeError> {
    let node = kinds(Builtin {
        workspace: repository(),
        ..Builtin::default()
    })
    .remove(kind)
    .unwrap_or_else(|| panic!("no kind {kind}"));
    let spec = node.spec();
    assert_fits(&spec.with, &with);
    let outcome = node.run(context(), with).await?;
    assert_fits(&spec.result, &outcome.result);
    Ok(outcome.result)
}

/// Runs one attempt whose `with` no engine would let through.
async fn run_unchecked(kind: &str, with: Value) -> Result<Value, NodeError> {
    let node = kinds(Builtin::default()).remove(kind).unwrap();
    node.run(context(), with)
        .await
        .map(|outcome| outcome.result)
}

#[track_caller]
fn assert_fits(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let wrong: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
