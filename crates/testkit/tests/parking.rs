//! Runs that wait leave memory and come back when they are due: the real engine on the oracle, in
//! virtual time, so that an hour takes a moment and lateness is a number.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use runstone_engine::{
    Clock, Engine, Options, Registry, RunHandle, RunResult, StartRun, loops::Loops,
};
use runstone_model::{
    ids::{ProjectId, RunId},
    run::{Kind, Status},
    time::Timestamp,
};
use runstone_store::{RunRecord, Store, StoredRow};
use runstone_testkit::oracle::Oracle;
use serde_json::json;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);
/// How late a run may be on an idle server.
const LATE: Duration = Duration::from_millis(20);

/// Virtual time that a test can set back and forward.
struct Time {
    began: Instant,
    wrong_us: AtomicI64,
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        let right = Timestamp(1_000_000_000_000).plus(self.began.elapsed());
        Timestamp(right.0 + self.wrong_us.load(Ordering::Relaxed))
    }
}

struct Place {
    oracle: Arc<Oracle>,
    clock: Arc<Time>,
}

impl Place {
    fn new() -> Self {
        let clock = Time {
            began: Instant::now(),
            wrong_us: AtomicI64::new(0),
        };
        Self {
            oracle: Arc::new(Oracle::new()),
            clock: Arc::new(clock),
        }
    }

    fn engine(&self) -> (Engine, Loops) {
        let engine = self.engine_that_parks(Some(Duration::from_secs(2)));
        let loops = Loops::start(&engine, true);
        (engine, loops)
    }

    fn engine_that_parks(&self, park: Option<Duration>) -> Engine {
        let mut registry = Registry::new();
        registry.extend(runstone_nodes::builtin(runstone_nodes::Builtin::default()));
        let options = Options {
            clock: self.clock.clone(),
            park,
            ..Options::default()
        };
        Engine::new(self.oracle.clone(), registry, options)
    }

    async fn record(&self, run: RunId) -> RunRecord {
        self.oracle.run(run).await.unwrap().unwrap()
    }

    async fn journal(&self, run: RunId) -> Vec<StoredRow> {
        self.oracle.journal(run, 0, 1000).await.unwrap()
    }

    async fn kinds(&self, run: RunId) -> Vec<Kind> {
        let rows = self.journal(run).await;
        let kinds = rows
            .iter()
            .map(|row| Kind::from_number(row.row.kind).unwrap());
        kinds.collect()
    }

    /// Waits until the run has ended; how long that took since it began.
    async fn end(&self, run: RunId) -> (RunRecord, Duration) {
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

fn sleeping(options: &str) -> String {
    format!(
        "{{runstone: 1, name: nap, start: a, nodes: {{a: {{uses: sleep, with: {{for: 1h}}{options}}}}}, \
         edges: [a -> end], output: {{slept: '${{{{ results.a.slept_ms }}}}'}}}}"
    )
}

async fn start(engine: &Engine, flow: &str) -> RunHandle {
    let flow = engine.put_flow(ProjectId::DEFAULT, flow).await.unwrap();
    let start = StartRun {
        project: ProjectId::DEFAULT,
        flow,
        input: json!({}),
        detach: false,
        labels: Vec::new(),
    };
    engine.start(start).await.unwrap()
}

/// Starts a run and sees it leave.
async fn parked(engine: &Engine, flow: &str) -> RunId {
    let handle = start(engine, flow).await;
    let run = handle.id;
    let left = handle.wait().await;
    assert!(matches!(left, RunResult::Parked { .. }), "{left:?}");
    run
}

#[tokio::test(start_paused = true)]
async fn a_sleeping_run_leaves_memory_and_ends_on_time() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let run = parked(&engine, &sleeping("")).await;
    assert_eq!(engine.live(), 0);
    let record = place.record(run).await;
    assert_eq!((record.status, record.owner), (Status::Waiting, None));
    assert_eq!(record.wake_at, Some(record.created_at.plus(HOUR)));
    let (record, took) = place.end(run).await;
    assert_eq!(record.output.as_deref(), Some(r#"{"slept":3600000}"#));
    assert!(took >= HOUR && took < HOUR + LATE, "{took:?}");
    let kinds = [Kind::Waiting, Kind::StepCompleted, Kind::RunCompleted];
    assert_eq!(place.kinds(run).await, kinds);
    assert_eq!(engine.done().parked, 1);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_would_wake_it_a_run_stays_and_is_as_durable() {
    let place = Place::new();
    let first = place.engine_that_parks(None);
    let handle = start(&first, &sleeping("")).await;
    let run = handle.id;
    tokio::time::sleep(HOUR / 2).await;
    assert_eq!(first.live(), 1);
    first.drain(HOUR).await.unwrap();
    assert_eq!(handle.wait().await, RunResult::Stopped);
    let second = place.engine_that_parks(None);
    second.resume(run).await.unwrap();
    let (_, took) = place.end(run).await;
    assert!(took >= HOUR && took < HOUR + LATE, "{took:?}");
    let kinds = [Kind::Waiting, Kind::StepCompleted, Kind::RunCompleted];
    assert_eq!(place.kinds(run).await, kinds, "it did not sleep again");
}

#[tokio::test(start_paused = true)]
async fn another_process_wakes_it_when_this_one_is_gone() {
    let place = Place::new();
    let (engine, loops) = place.engine();
    let run = parked(&engine, &sleeping("")).await;
    drop((engine, loops));
    tokio::time::sleep(HOUR / 2).await;
    let (_second, _loops) = place.engine();
    let (record, took) = place.end(run).await;
    assert_eq!(record.status, Status::Completed);
    assert!(took < HOUR + LATE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_parked_run_is_cancelled_at_once_by_whoever_asks() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let run = parked(&engine, &sleeping("")).await;
    assert!(engine.cancel(run, "enough").await.unwrap());
    assert_eq!(place.record(run).await.status, Status::Cancelled);

    // Who cannot execute runs leaves a note; it is found by the next round of the claim loop.
    let run = parked(&engine, &sleeping("")).await;
    let asked = place.clock.now();
    place.oracle.request_cancel(run, asked).await.unwrap();
    let (record, _) = place.end(run).await;
    assert_eq!(record.status, Status::Cancelled);
    let late = record.finished_at.unwrap().since(asked);
    assert!(late < Duration::from_secs(3), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn time_limits_bound_the_wait_of_a_parked_run() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let run = parked(&engine, &sleeping(", timeout: 10m")).await;
    let (record, took) = place.end(run).await;
    assert!(
        record
            .error
            .unwrap()
            .contains("took longer than its timeout of 600s")
    );
    assert!(took >= HOUR / 6 && took < HOUR / 6 + LATE, "{took:?}");

    let limited = sleeping("").replacen("start: a", "start: a, limits: {duration: 20m}", 1);
    let run = parked(&engine, &limited).await;
    let (record, took) = place.end(run).await;
    assert!(record.error.unwrap().contains("deadline"));
    assert!(took >= HOUR / 3 && took < HOUR / 3 + LATE, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_in_memory_only_while_something_of_it_runs() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let flow = "{runstone: 1, name: both, start: a, nodes: {a: {uses: set, with: {}}, \
        b: {uses: sleep, with: {for: 1h}}, c: {uses: sleep, with: {for: 900ms}}, \
        d: {uses: sleep, with: {for: 20m}}}, edges: [a -> b, a -> c, c -> d, b -> end, d -> end]}";
    let handle = start(&engine, flow).await;
    let run = handle.id;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(engine.live(), 1, "c runs");
    handle.wait().await;
    assert_eq!(engine.live(), 0);
    let (_, took) = place.end(run).await;
    assert!(took >= HOUR && took < HOUR + LATE, "{took:?}");
    assert_eq!(engine.done().parked, 2, "for d, and then for b");
}

#[tokio::test(start_paused = true)]
async fn the_items_of_a_map_wait_as_many_at_a_time_as_it_says() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let map = ", for_each: '${{ [1, 2, 3, 4, 5] }}', max_parallel: 2";
    let flow = sleeping(map).replacen("results.a.slept_ms", "size(results.a)", 1);
    let run = parked(&engine, &flow).await;
    let (record, took) = place.end(run).await;
    assert_eq!(record.output.as_deref(), Some(r#"{"slept":5}"#));
    assert!(took >= 3 * HOUR && took < 3 * HOUR + 3 * LATE, "{took:?}");
    let rows = place.journal(run).await;
    let waits = rows
        .iter()
        .filter(|row| row.row.kind == Kind::Waiting as i16);
    assert_eq!(waits.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_its_next_attempt_leaves_memory_too() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let flow = "{runstone: 1, name: again, start: a, nodes: {a: {uses: assert, with: {that: false}, \
        retry: {max_attempts: 3, initial: 10m, factor: 1, max: 10m, jitter: 0, on: [logic]}}}, \
        edges: [a -> end]}";
    let run = parked(&engine, flow).await;
    assert_eq!(engine.live(), 0);
    let (record, took) = place.end(run).await;
    assert_eq!(record.status, Status::Failed);
    assert!(took >= HOUR / 3 && took < HOUR / 3 + 2 * LATE, "{took:?}");
    assert_eq!(engine.done().parked, 2);
}

#[tokio::test(start_paused = true)]
async fn no_jump_of_the_clock_loses_a_parked_run() {
    const DAY_US: i64 = 86_400_000_000;
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let run = parked(&engine, &sleeping("")).await;
    place.clock.wrong_us.store(-DAY_US, Ordering::Relaxed);
    tokio::time::sleep(2 * HOUR).await;
    assert_eq!(
        place.record(run).await.status,
        Status::Waiting,
        "it is not time yet"
    );
    place.clock.wrong_us.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    place.end(run).await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );

    let run = parked(&engine, &sleeping("")).await;
    place.clock.wrong_us.store(DAY_US, Ordering::Relaxed);
    let begun = Instant::now();
    place.end(run).await;
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn many_that_are_due_at_once_are_taken_as_far_as_there_is_room() {
    let place = Place::new();
    let mut registry = Registry::new();
    registry.extend(runstone_nodes::builtin(runstone_nodes::Builtin::default()));
    let options = Options {
        clock: place.clock.clone(),
        park: Some(Duration::from_secs(2)),
        max_live: 7,
        ..Options::default()
    };
    let engine = Engine::new(place.oracle.clone(), registry, options);
    let _loops = Loops::start(&engine, true);
    let until = sleeping("");
    let mut runs = Vec::new();
    for _ in 0..100 {
        runs.push(parked(&engine, &until).await);
    }
    for run in runs {
        let (record, took) = place.end(run).await;
        assert_eq!(record.status, Status::Completed);
        assert!(took < HOUR + 20 * LATE, "{took:?}");
    }
}
