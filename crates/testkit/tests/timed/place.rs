//! An oracle, a clock that a test can set, and engines on them.
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use runstone_engine::{Clock, Engine, Options, Registry, RunHandle, StartRun, loops::Loops};
use runstone_model::{
    ids::{ProjectId, RunId},
    run::Kind,
    time::Timestamp,
};
use runstone_store::{RunRecord, Store, StoredRow};
use runstone_testkit::{
    faults::{Faults, Rates},
    oracle::Oracle,
};
use serde_json::json;
use tokio::time::Instant;

/// Virtual time that a test can set back and forward.
pub(crate) struct Time {
    began: Instant,
    pub(crate) wrong_us: AtomicI64,
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        let right = Timestamp(1_000_000_000_000).plus(self.began.elapsed());
        Timestamp(right.0 + self.wrong_us.load(Ordering::Relaxed))
    }
}

pub(crate) struct Place {
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) clock: Arc<Time>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let clock = Time {
            began: Instant::now(),
            wrong_us: AtomicI64::new(0),
        };
        Self {
            oracle: Arc::new(Oracle::new()),
            clock: Arc::new(clock),
        }
    }

    pub(crate) fn engine(&self) -> (Engine, Loops) {
        let engine = self.engine_that_parks(Some(Duration::from_secs(2)));
        let loops = Loops::start(&engine, true);
        (engine, loops)
    }

    pub(crate) fn engine_that_parks(&self, park: Option<Duration>) -> Engine {
        self.engine_on(self.oracle.clone(), park)
    }

    /// An engine whose every call of the store takes a while, how long by `seed`.
    pub(crate) fn slow_engine(&self, seed: u64) -> (Engine, Arc<Faults>) {
        let rates = Rates {
            error_before: 0,
            error_after: 0,
            slow: 1000,
        };
        let store = Arc::new(Faults::new(self.oracle.clone(), seed, rates, 0));
        (self.engine_on(store.clone(), None), store)
    }

    fn engine_on(&self, store: Arc<dyn Store>, park: Option<Duration>) -> Engine {
        let mut registry = Registry::new();
        registry.extend(runstone_nodes::builtin(runstone_nodes::Builtin::default()));
        let options = Options {
            clock: self.clock.clone(),
            park,
            ..Options::default()
        };
        Engine::new(store, registry, options)
    }

    pub(crate) async fn record(&self, run: RunId) -> RunRecord {
        self.oracle.run(run).await.unwrap().unwrap()
    }

    pub(crate) async fn journal(&self, run: RunId) -> Vec<StoredRow> {
        self.oracle.journal(run, 0, 1000).await.unwrap()
    }

    pub(crate) async fn kinds(&self, run: RunId) -> Vec<Kind> {
        let rows = self.journal(run).await;
        let kinds = rows
            .iter()
            .map(|row| Kind::from_number(row.row.kind).unwrap());
        kinds.collect()
    }

    /// Waits until the run has ended; how long that took since it began.
    pub(crate) async fn end(&self, run: RunId) -> (RunRecord, Duration) {
        loop {
            let record = self.record(run).await;
            if let Some(end) = record.finished_at {
                let took = end.since(record.created_at);
                return (record, took);
            }
            // The record says to the microsecond when that was.
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    }
}

pub(crate) async fn start(engine: &Engine, flow: &str) -> RunHandle {
    start_as(engine, flow, false).await
}

/// A run that nobody has begun.
pub(crate) async fn begun_by_nobody(engine: &Engine, flow: &str) -> RunId {
    start_as(engine, flow, true).await.id
}

async fn start_as(engine: &Engine, flow: &str, detach: bool) -> RunHandle {
    let flow = engine.put_flow(ProjectId::DEFAULT, flow).await.unwrap();
    let start = StartRun {
        project: ProjectId::DEFAULT,
        flow,
        input: json!({}),
        detach,
        labels: Vec::new(),
    };
    engine.start(start).await.unwrap()
}
