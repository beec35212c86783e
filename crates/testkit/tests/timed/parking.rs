//! Runs that wait leave memory and come back when they are due.
use std::{sync::atomic::Ordering, time::Duration};

use runstone_engine::{Clock as _, Engine, Options, Registry, RunResult, loops::Loops};
use runstone_model::{
    ids::RunId,
    run::{Kind, Status},
};
use runstone_store::Store;
use tokio::time::Instant;

use crate::place::{Place, start};

const HOUR: Duration = Duration::from_secs(3600);
/// How late a run may be on an idle server.
const LATE: Duration = Duration::from_millis(20);

fn sleeping(options: &str) -> String {
    format!(
        "{{runstone: 1, name: nap, start: a, nodes: {{a: {{uses: sleep, with: {{for: 1h}}{options}}}}}, \
         edges: [a -> end], output: {{slept: '${{{{ results.a.slept_ms }}}}'}}}}"
    )
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

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_often_is_not_read_from_its_beginning_each_time() {
    let place = Place::new();
    let (engine, _loops) = place.engine();
    let flow = format!(
        "{{runstone: 1, name: polls, start: nap, state: {{log: {{type: array, reducer: append}}}}, nodes: \
         {{nap: {{uses: sleep, with: {{for: 10s}}}}, note: {{uses: set, with: {{log: {}}}}}}}, edges: \
         [nap -> note, {{from: note, to: nap, when: 'size(state.log) < 300'}}, \
         {{from: note, to: end, else: true}}]}}",
        "x".repeat(2_000)
    );
    let run = parked(&engine, &flow).await;
    tokio::time::sleep(Duration::from_secs(2_500)).await;
    assert!(engine.done().parked > 200);
    let loaded = place.oracle.load(&[run]).await.unwrap().remove(0);
    assert!(
        loaded.snapshot.is_some() && loaded.rows.len() < 500,
        "{}",
        loaded.rows.len()
    );
    let (record, _) = place.end(run).await;
    assert_eq!(record.status, Status::Completed);
}
