//! An engine on a database of its own, a clock that a test sets, and kinds that misbehave.
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt as _};
use runstone_engine::{
    Clock, Engine, Options, Registry, RunHandle, RunResult, StartRun, SystemClock,
    node::{Context, Node, NodeError, Outcome, Spec},
};
use runstone_model::{failure::Class, ids::ProjectId, run::RunEnd, time::Timestamp};
use runstone_store::{OpenOptions, SqlStore};
use runstone_testkit::servers::{Fixture, Fresh, TestDatabase};
use serde_json::{Value, json};

/// Nothing here may take longer.
const HANG: Duration = Duration::from_secs(60);
const DAY_US: i64 = 86_400_000_000;

/// The machine's clock, so many microseconds wrong.
#[derive(Default)]
pub(crate) struct WrongClock(AtomicI64);

impl WrongClock {
    pub(crate) fn jump_days(&self, days: i64) {
        self.0.fetch_add(days * DAY_US, Ordering::Relaxed);
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.0.load(Ordering::Relaxed))
    }
}

/// Whether the world outside refuses, and which request came how often, by idempotency key.
#[derive(Default)]
pub(crate) struct World {
    refusing: AtomicBool,
    calls: Mutex<BTreeMap<String, u32>>,
}

impl World {
    pub(crate) fn refuse(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::SeqCst);
    }

    pub(crate) fn refuses(&self) -> bool {
        self.refusing.load(Ordering::SeqCst)
    }

    /// How often each request came, in the order of their keys.
    pub(crate) fn calls(&self) -> Vec<u32> {
        self.calls.lock().unwrap().values().copied().collect()
    }

    fn note(&self, key: &str) {
        let mut calls = self.calls.lock().unwrap();
        *calls.entry(key.to_owned()).or_default() += 1;
    }
}

/// A database and everything to open engines on it.
pub(crate) struct Place {
    fresh: Fresh,
    pub(crate) clock: Arc<WrongClock>,
    pub(crate) world: Arc<World>,
}

impl Fixture for Place {
    async fn open(database: TestDatabase) -> Option<Self> {
        let fresh = Fresh::on(database).await?;
        Some(Self {
            fresh,
            clock: Arc::default(),
            world: Arc::default(),
        })
    }
}

impl Place {
    /// Whether one engine takes every other for dead.
    pub(crate) fn is_for_one(&self) -> bool {
        self.fresh.database() == TestDatabase::Sqlite
    }

    pub(crate) fn url(&self) -> &str {
        self.fresh.url()
    }

    pub(crate) async fn store(&self) -> Arc<SqlStore> {
        self.store_at(self.url()).await
    }

    async fn store_at(&self, url: &str) -> Arc<SqlStore> {
        let options = OpenOptions {
            migrate: true,
            ..OpenOptions::default()
        };
        Arc::new(SqlStore::open(url, options).await.unwrap())
    }

    /// A new engine, as after a restart.
    pub(crate) async fn engine(&self) -> Engine {
        self.engine_at(self.url()).await
    }

    /// An engine from whose memory runs go that wait for so long.
    pub(crate) async fn engine_that_parks(&self, park: Duration) -> Engine {
        self.engine_with(self.url(), Some(park)).await
    }

    /// An engine that reaches its database by way of `url`.
    pub(crate) async fn engine_at(&self, url: &str) -> Engine {
        self.engine_with(url, None).await
    }

    async fn engine_with(&self, url: &str, park: Option<Duration>) -> Engine {
        let mut registry = Registry::new();
        registry.extend(runstone_nodes::builtin(runstone_nodes::Builtin::default()));
        for name in [
            "test.panic",
            "test.panic_at_once",
            "test.jump_once",
            "test.large",
            "test.deep",
            "test.moody",
        ] {
            registry.add(Arc::new(Odd {
                name,
                clock: Arc::clone(&self.clock),
                world: Arc::clone(&self.world),
            }));
        }
        let clock = Arc::clone(&self.clock);
        let options = Options {
            clock,
            // A dead engine's runs are anybody's at once where only one can have the database.
            alone: self.is_for_one(),
            park,
            ..Options::default()
        };
        Engine::new(self.store_at(url).await, registry, options)
    }
}

/// Starts a run of a flow.
pub(crate) async fn start(engine: &Engine, flow: &str) -> RunHandle {
    let flow = engine.put_flow(ProjectId::DEFAULT, flow).await.unwrap();
    let project = ProjectId::DEFAULT;
    engine
        .start(StartRun {
            project,
            flow,
            input: json!({}),
            detach: false,
            labels: Vec::new(),
        })
        .await
        .unwrap()
}

/// Waits for the end, but not for ever.
pub(crate) async fn end(handle: RunHandle) -> RunEnd {
    match tokio::time::timeout(HANG, handle.wait()).await.unwrap() {
        RunResult::Ended { end, .. } => end,
        other => panic!("{other:?}"),
    }
}

/// The run's output.
pub(crate) async fn output(handle: RunHandle) -> Value {
    match end(handle).await {
        RunEnd::Completed(output) => (*output).clone(),
        other => panic!("{other:?}"),
    }
}

struct Odd {
    name: &'static str,
    clock: Arc<WrongClock>,
    world: Arc<World>,
}

impl Odd {
    /// Does as `with.refused` says while the world refuses.
    async fn moody(&self, key: &str, with: &Value) -> Result<Outcome, NodeError> {
        self.world.note(key);
        match with["refused"].as_str() {
            Some("fail") if self.world.refuses() => Err(NodeError::new(Class::Network, "not now")),
            Some("hang") if self.world.refuses() => std::future::pending().await,
            Some("no") if self.world.refuses() => Ok(json!("no").into()),
            _ => Ok(json!("yes").into()),
        }
    }
}

impl Node for Odd {
    fn spec(&self) -> Spec {
        Spec {
            name: self.name,
            summary: "Misbehaves",
            with: json!({"type": "object"}),
            result: json!({}),
            side_effects: false,
            instant: self.name == "test.panic_at_once",
        }
    }

    fn run<'a>(&'a self, ctx: Context, with: Value) -> BoxFuture<'a, Result<Outcome, NodeError>> {
        async move {
            match self.name {
                "test.jump_once" if ctx.attempt == 1 => {
                    self.clock.jump_days(with["days"].as_i64().unwrap());
                    Err(NodeError::new(Class::Network, "not yet"))
                }
                "test.jump_once" => Ok(json!(ctx.attempt).into()),
                "test.moody" => self.moody(&ctx.idempotency_key, &with).await,
                "test.large" => Ok(json!("x".repeat(17 << 20)).into()),
                "test.deep" => Ok((0..80).fold(json!(1), |deep, _| json!([deep])).into()),
                _ => panic!("out of cheese"),
            }
        }
        .boxed()
    }
}
