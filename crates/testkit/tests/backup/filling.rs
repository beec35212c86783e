//! A database with something of everything in it, and runs that wait at a gate.
use std::{sync::Arc, time::Duration};

use futures::future::{BoxFuture, FutureExt as _};
use runstone_engine::{
    Engine, Options, Registry, RunHandle, RunResult, StartRun,
    loops::Heartbeat,
    node::{Context, Node, NodeError, Outcome, Spec},
};
use runstone_model::{
    failure::Class,
    ids::{ProjectId, RunId},
    run::RunEnd,
};
use runstone_store::{OpenOptions, SqlStore};
use serde_json::{Value, json};
use tokio::sync::watch;

const HANG: Duration = Duration::from_secs(60);

const LOOPED: &str = "{runstone: 1, name: rounds, start: a, state: {n: {type: integer, \
    default: 0}, log: {type: array, reducer: append, default: []}}, nodes: {a: {uses: set, with: {n: \
    '${{ state.n + 1 }}', log: 'é漢🦀 ${{ string(state.n) }}'}}}, edges: [{from: a, to: a, when: \
    'state.n < 30'}, {from: a, to: end, else: true}], output: {n: '${{ state.n }}', log: \
    '${{ state.log }}'}}";
const FAILED: &str = "{runstone: 1, name: failed, start: a, nodes: {a: {uses: test.fail, with: \
    {}}}, edges: [a -> end]}";
const PARKED: &str = "{runstone: 1, name: nap, start: a, nodes: {a: {uses: sleep, with: {for: 1h}}}, \
    edges: [a -> end]}";
/// Waits in the middle, with a value beside the journal (small) or in a snapshot (large).
const GATED: &str = "{runstone: 1, name: NAME, start: a, state: {text: {type: string}}, nodes: {\
    a: {uses: set, with: {text: FILL}}, b: {uses: test.gate, with: {}}, c: {uses: template, with: \
    {text: '${{ string(size(state.text)) }}'}}}, edges: [a -> b -> c -> end], output: {size: \
    '${{ results.c }}', gate: '${{ results.b }}', text: '${{ state.text }}'}}";

/// Whether runs may pass.
#[derive(Clone)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(crate) fn new(open: bool) -> Self {
        Self(Arc::new(watch::channel(open).0))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }
}

struct Special {
    name: &'static str,
    gate: Gate,
}

impl Node for Special {
    fn spec(&self) -> Spec {
        Spec {
            name: self.name,
            summary: "For tests",
            with: json!({"type": "object"}),
            result: json!({}),
            side_effects: false,
            instant: false,
        }
    }

    fn run<'a>(&'a self, _: Context, _: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        async move {
            if self.name == "test.fail" {
                return Err(NodeError::new(Class::Logic, "it had to be: é漢🦀"));
            }
            let mut open = self.gate.0.subscribe();
            open.wait_for(|open| *open).await.unwrap();
            Ok(json!({"passed": "the gate"}).into())
        }
        .boxed()
    }
}

pub(crate) async fn open(url: &str) -> Arc<SqlStore> {
    let options = OpenOptions {
        migrate: true,
        ..OpenOptions::default()
    };
    Arc::new(SqlStore::open(url, options).await.unwrap())
}

pub(crate) fn engine(store: &Arc<SqlStore>, gate: &Gate) -> Engine {
    let mut registry = Registry::new();
    registry.extend(runstone_nodes::builtin(runstone_nodes::Builtin::default()));
    for name in ["test.fail", "test.gate"] {
        let gate = gate.clone();
        registry.add(Arc::new(Special { name, gate }));
    }
    let options = Options {
        // Only one engine at a time has the database.
        alone: true,
        park: Some(Duration::from_secs(2)),
        ..Options::default()
    };
    Engine::new(Arc::clone(store) as _, registry, options)
}

pub(crate) async fn start(engine: &Engine, flow: &str, detach: bool) -> RunHandle {
    let flow = engine.put_flow(ProjectId::DEFAULT, flow).await.unwrap();
    let project = ProjectId::DEFAULT;
    let input = json!({});
    let start = StartRun {
        project,
        flow,
        input,
        detach,
        labels: Vec::new(),
    };
    engine.start(start).await.unwrap()
}

pub(crate) async fn end(handle: RunHandle) -> RunEnd {
    match tokio::time::timeout(HANG, handle.wait()).await.unwrap() {
        RunResult::Ended { end, .. } => end,
        other => panic!("{other:?}"),
    }
}

/// A loop that ends at once.
pub(crate) async fn looped(engine: &Engine) -> RunId {
    let handle = start(engine, LOOPED, false).await;
    let id = handle.id;
    assert!(matches!(end(handle).await, RunEnd::Completed(_)));
    id
}

/// A run that waits for an hour, and is in no memory.
pub(crate) async fn parked(engine: &Engine) -> RunId {
    let handle = start(engine, PARKED, false).await;
    let id = handle.id;
    let left = tokio::time::timeout(HANG, handle.wait()).await.unwrap();
    assert!(matches!(left, RunResult::Parked { .. }), "{left:?}");
    id
}

/// Runs that are over, and runs that wait.
pub(crate) struct Filled {
    pub(crate) engine: Engine,
    pub(crate) gate: Gate,
    pub(crate) waiting: Vec<RunHandle>,
}

impl Filled {
    pub(crate) async fn new(store: &Arc<SqlStore>) -> Self {
        let gate = Gate::new(false);
        let engine = engine(store, &gate);
        Heartbeat(engine.clone()).run_once().await.unwrap();
        for _ in 0..20 {
            looped(&engine).await;
        }
        let failed = start(&engine, FAILED, false).await;
        assert!(matches!(end(failed).await, RunEnd::Failed(_)));
        let mut waiting = Vec::new();
        for (name, times) in [("small", 20_000), ("large", 200_000)] {
            let text = json!("snöw ".repeat(times)).to_string();
            let flow = GATED.replace("NAME", name).replace("FILL", &text);
            for _ in 0..2 {
                waiting.push(start(&engine, &flow, false).await);
            }
            let cancelled = start(&engine, &flow, false).await;
            at_gate(&engine, cancelled.id).await;
            assert!(
                engine
                    .cancel(cancelled.id, "no longer: é漢🦀")
                    .await
                    .unwrap()
            );
            assert!(matches!(end(cancelled).await, RunEnd::Cancelled(_)));
        }
        for handle in &waiting {
            at_gate(&engine, handle.id).await;
        }
        // Nobody has begun it.
        start(
            &engine,
            &GATED.replace("NAME", "begun").replace("FILL", "''"),
            true,
        )
        .await;
        Self {
            engine,
            gate,
            waiting,
        }
    }
}

async fn at_gate(engine: &Engine, run: RunId) {
    while engine.history(run).await.unwrap().steps.is_empty() {
        tokio::task::yield_now().await;
    }
}
