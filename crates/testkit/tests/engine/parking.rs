//! Parked runs on real databases; what they do in time is shown in virtual time, in `tests/timed`.
use std::time::Duration;

use runstone_engine::{Engine, RunResult, loops::Loops};
use runstone_model::{
    ids::RunId,
    run::{Kind, Status},
};
use runstone_store::RunRecord;
use runstone_testkit::on_every_database;

use crate::harness::{Place, start};

const NAP: &str = "{runstone: 1, name: nap, start: a, nodes: {a: {uses: sleep, with: {for: 2100ms}}}, \
    edges: [a -> end], output: {slept: '${{ results.a.slept_ms }}'}}";
const LONG: &str = "{runstone: 1, name: long, start: a, nodes: {a: {uses: sleep, with: {for: 9h}}}, \
    edges: [a -> end]}";
/// Runs that wait at the same time.
const MANY: usize = 50;

async fn parked(engine: &Engine, flow: &str) -> RunId {
    let handle = start(engine, flow).await;
    let run = handle.id;
    let left = handle.wait().await;
    assert!(matches!(left, RunResult::Parked { .. }), "{left:?}");
    run
}

async fn end(engine: &Engine, run: RunId) -> RunRecord {
    for _ in 0..3000 {
        let record = engine.store().run(run).await.unwrap().unwrap();
        if record.status.is_final() {
            return record;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("run {run} does not end");
}

on_every_database! {
    async fn parked_runs_end_once_each_whoever_wakes_them(place: &Place) {
        let first = place.engine_that_parks(Duration::from_millis(100)).await;
        let mut runs = Vec::new();
        for _ in 0..MANY {
            runs.push(parked(&first, NAP).await);
        }
        assert_eq!(first.live(), 0);
        first.stop();
        let engines = [
            place.engine_that_parks(Duration::from_millis(100)).await,
            place.engine_that_parks(Duration::from_millis(100)).await,
        ];
        let both = if place.is_for_one() { 1 } else { 2 };
        let _loops: Vec<Loops> = engines.iter().take(both).map(|engine| Loops::start(engine, true)).collect();
        for run in runs {
            let record = end(&engines[0], run).await;
            assert_eq!(record.output.as_deref(), Some(r#"{"slept":2100}"#));
            assert!(record.finished_at.unwrap().since(record.created_at) >= Duration::from_millis(2100));
            let rows = engines[0].store().journal(run, 0, 99).await.unwrap();
            let kinds: Vec<i16> = rows.iter().map(|row| row.row.kind).collect();
            let want = [Kind::Waiting, Kind::StepCompleted, Kind::RunCompleted];
            assert_eq!(kinds, want.map(|kind| kind as i16));
        }
    }

    async fn a_parked_run_is_cancelled_by_any_engine(place: &Place) {
        let first = place.engine_that_parks(Duration::from_secs(1)).await;
        let run = parked(&first, LONG).await;
        first.stop();
        let second = place.engine().await;
        assert!(second.cancel(run, "enough").await.unwrap());
        let record = end(&second, run).await;
        assert_eq!((record.status, record.wake_at), (Status::Cancelled, None));
    }

    async fn a_parked_run_that_is_resumed_waits_for_the_same_time(place: &Place) {
        let first = place.engine_that_parks(Duration::from_secs(1)).await;
        let run = parked(&first, LONG).await;
        let before = first.store().run(run).await.unwrap().unwrap();
        let handle = first.resume(run).await.unwrap();
        let left = handle.wait().await;
        assert!(matches!(left, RunResult::Parked { .. }), "{left:?}");
        let after = first.store().run(run).await.unwrap().unwrap();
        assert_eq!((after.epoch, after.owner), (before.epoch + 1, None));
        let (before, after) = (before.wake_at.unwrap(), after.wake_at.unwrap());
        let moved = after.since(before).max(before.since(after));
        assert!(moved < Duration::from_secs(60), "{moved:?}");
        assert_eq!(first.store().journal(run, 0, 99).await.unwrap().len(), 1);
    }
}
