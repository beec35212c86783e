//! The program of docs/guide.md, "Inside a Rust program": the page shows everything below this head.
use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use runstone_engine::node::{Context, Node, NodeError, Outcome, Spec};
use runstone_engine::{Engine, Options, Registry, RunResult, StartRun, loops::Loops};
use runstone_model::{failure::Class, ids::ProjectId, run::RunEnd};
use runstone_nodes::{Builtin, builtin};
use runstone_store::{OpenOptions, SqlStore};
use serde_json::{Value, json};

/// `uses: vat` adds the tax to a net price in cents.
struct Vat;

impl Node for Vat {
    fn spec(&self) -> Spec {
        Spec {
            name: "vat",
            summary: "adds the tax to a net price",
            with: json!({"type": "object", "required": ["net"], "additionalProperties": false,
                         "properties": {"net": {"type": "integer"}}}),
            result: json!({"type": "integer"}),
            side_effects: false,
            instant: true,
        }
    }

    fn run<'a>(&'a self, _: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        Box::pin(async move {
            let net = with["net"].as_i64().filter(|net| *net >= 0);
            let net = net.ok_or_else(|| NodeError::new(Class::Validation, "a negative price"))?;
            Ok(json!(net + net * 19 / 100).into())
        })
    }
}

const FLOW: &str = r#"
runstone: 1
name: bill
input: {type: object, required: [net], properties: {net: {type: integer}}}
state: {gross: {type: integer}}
nodes:
  tax: {uses: vat, with: {net: "${{ input.net }}"}, out: {gross: "${{ result }}"}}
output: "${{ state.gross }}"
"#;

async fn bill(database: &str) -> anyhow::Result<Value> {
    let options = OpenOptions {
        migrate: true,
        engine_lock: true,
        who: "my program".to_owned(),
        ..OpenOptions::default()
    };
    let store = Arc::new(SqlStore::open(database, options).await?);
    let mut registry = Registry::new();
    registry.extend(builtin(Builtin::default()));
    registry.add(Arc::new(Vat));
    let engine = Engine::new(store.clone(), registry, Options::default());
    let loops = Loops::start(&engine, false);

    let flow = engine.put_flow(ProjectId::DEFAULT, FLOW).await?;
    let input = flow.flow.check_input(json!({"net": 1000}));
    let input = input.map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let project = ProjectId::DEFAULT;
    let run = engine
        .start(StartRun {
            project,
            flow,
            input,
            detach: false,
            labels: Vec::new(),
        })
        .await?;
    let result = run.wait().await;

    engine.drain(Duration::from_secs(5)).await?;
    loops.join().await;
    store.close().await;
    match result {
        RunResult::Ended {
            end: RunEnd::Completed(output),
            ..
        } => Ok(output.as_ref().clone()),
        other => anyhow::bail!("the run did not complete: {other:?}"),
    }
}

#[tokio::test]
async fn the_program_of_the_guide_runs() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("bills.db").display());
    assert_eq!(bill(&database).await.unwrap(), json!(1190));
}
