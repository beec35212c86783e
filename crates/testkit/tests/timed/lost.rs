//! Runs that an engine has without knowing, because an answer was lost or two wrote at once: it
//! notices, and goes on with them. Nor does it take twice what it is taking, or forget that somebody
//! wanted one cancelled. And an engine that is to stop begins nothing any more.
use std::time::Duration;

use runstone_engine::{
    Engine, RunResult,
    loops::{Claim, Heartbeat},
};
use runstone_model::{
    ids::RunId,
    run::{Kind, Status},
    time::Timestamp,
};
use runstone_store::{self as store, Store as _};

use crate::place::{Place, begun_by_nobody, start};

const NAP: &str = "{runstone: 1, name: nap, start: a, nodes: {a: {uses: sleep, with: {for: 1h}}}, \
    edges: [a -> end]}";
const LIVE: usize = 1_200;
const LOST: u32 = 2_500;

fn claim(place: &Place, server: runstone_model::ids::ServerId, limit: u32) -> store::Claim {
    store::Claim {
        server,
        now: runstone_engine::Clock::now(&*place.clock),
        expired_before: Timestamp(0),
        limit,
        only: None,
    }
}

/// The engine's claim of `run`, whose answer it never got.
async fn claim_unanswered(place: &Place, engine: &Engine, run: RunId) {
    let mut claim = claim(place, engine.server(), 1);
    claim.only = Some(run);
    assert_eq!(place.oracle.claim(claim).await.unwrap().len(), 1);
}

/// A run that `engine` owns without knowing, and will look for: somebody wants it cancelled.
async fn lose(place: &Place, engine: &Engine) -> RunId {
    let run = begun_by_nobody(engine, NAP).await;
    claim_unanswered(place, engine, run).await;
    let now = runstone_engine::Clock::now(&*place.clock);
    place.oracle.request_cancel(run, now).await.unwrap();
    run
}

#[tokio::test(start_paused = true)]
async fn runs_that_were_claimed_without_an_answer_are_found_however_many() {
    let place = Place::new();
    let engine = place.engine_that_parks(None);
    Heartbeat(engine.clone()).run_once().await.unwrap();
    // Older ones that are live stand before them.
    for _ in 0..LIVE {
        start(&engine, NAP).await;
    }
    let mut lost = Vec::new();
    for _ in 0..LOST {
        lost.push(begun_by_nobody(&engine, NAP).await);
    }
    let claim = claim(&place, engine.server(), LOST);
    let taken = place.oracle.claim(claim).await.unwrap();
    assert_eq!(taken.len(), lost.len());
    assert_eq!(engine.live(), LIVE, "the answer was lost");

    // Somebody wants one of them cancelled, and it is not where it should be.
    let asked = claim.now;
    place.oracle.request_cancel(lost[7], asked).await.unwrap();
    Heartbeat(engine.clone()).run_once().await.unwrap();
    Claim(engine.clone()).run_once().await.unwrap();
    assert!(lost.iter().all(|run| engine.executes(*run)));
    let (record, _) = place.end(lost[7]).await;
    assert_eq!(record.status, Status::Cancelled);
    let (record, _) = place.end(lost[2_000]).await;
    assert_eq!(record.status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_to_stop_begins_nothing_any_more() {
    let place = Place::new();
    let engine = place.engine_that_parks(None);
    let flow = "{runstone: 1, name: rounds, start: a, state: {n: {type: integer, default: 0}}, \
        limits: {steps: 100000}, nodes: {a: {uses: set, with: {n: '${{ state.n + 1 }}'}}}, edges: \
        [{from: a, to: a, when: 'state.n < 20000'}, {from: a, to: end, else: true}]}";
    let handle = start(&engine, flow).await;
    let run = handle.id;
    while place.journal(run).await.is_empty() {
        tokio::task::yield_now().await;
    }
    engine.drain(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(handle.wait().await, RunResult::Stopped);
    let record = place.record(run).await;
    assert_eq!((record.status, record.owner), (Status::Running, None));
}

#[tokio::test(start_paused = true)]
async fn a_lost_run_that_cannot_be_read_keeps_no_other_from_being_found() {
    let place = Place::new();
    let engine = place.engine_that_parks(None);
    Heartbeat(engine.clone()).run_once().await.unwrap();
    let broken = begun_by_nobody(&engine, NAP).await;
    let whole = begun_by_nobody(&engine, NAP).await;
    let claim = claim(&place, engine.server(), 2);
    assert_eq!(place.oracle.claim(claim).await.unwrap().len(), 2);
    let nonsense = store::Row {
        seq: 1,
        kind: Kind::StepCompleted as i16,
        body: "[".to_owned(),
        node: Some("a".to_owned()),
        visit: 1,
        item: None,
        attempt: 1,
        started_at: claim.now,
        duration_us: 1,
    };
    let commit = store::Commit {
        run: broken,
        epoch: 2,
        create: None,
        rows: vec![nonsense],
        update: None,
        snapshot: None,
        blobs: Vec::new(),
    };
    place.oracle.commit(commit).await.unwrap();
    place
        .oracle
        .request_cancel(broken, claim.now)
        .await
        .unwrap();
    for _ in 0..5 {
        Heartbeat(engine.clone()).run_once().await.unwrap();
        Claim(engine.clone()).run_once().await.unwrap();
    }
    assert!(engine.executes(whole) && !engine.executes(broken));
    let tries = place.kinds(broken).await;
    let tries = tries.iter().filter(|kind| **kind == Kind::TakenOver);
    assert_eq!(tries.count(), 1, "once, and not each round");
}

#[tokio::test(start_paused = true)]
async fn a_run_is_cancelled_although_its_owner_is_fenced_before_it_can_say_so() {
    let place = Place::new();
    let engine = place.engine_that_parks(None);
    Heartbeat(engine.clone()).run_once().await.unwrap();
    let handle = start(&engine, NAP).await;
    let run = handle.id;
    claim_unanswered(&place, &engine, run).await;
    assert!(engine.cancel(run, "enough").await.unwrap());
    assert_eq!(handle.wait().await, RunResult::LostOwnership);
    Heartbeat(engine.clone()).run_once().await.unwrap();
    Claim(engine.clone()).run_once().await.unwrap();
    let (record, _) = place.end(run).await;
    assert_eq!(record.status, Status::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_just_being_claimed_is_not_claimed_once_more() {
    for seed in 0..20 {
        let place = Place::new();
        let (engine, _) = place.slow_engine(seed);
        Heartbeat(engine.clone()).run_once().await.unwrap();
        // They wait for a time, so that only who asks for them takes them.
        let other = place.engine_that_parks(Some(Duration::from_secs(2)));
        let mut runs = Vec::new();
        for _ in 0..30 {
            let handle = start(&other, NAP).await;
            runs.push(handle.id);
            assert!(matches!(handle.wait().await, RunResult::Parked { .. }));
        }
        // It looks for what it owns without knowing, all the time.
        let look = async {
            loop {
                Heartbeat(engine.clone()).run_once().await.unwrap();
                Claim(engine.clone()).run_once().await.unwrap();
            }
        };
        lose(&place, &engine).await;
        let resumes = runs.iter().map(|run| engine.resume(*run));
        tokio::select! {
            _ = futures::future::join_all(resumes) => {}
            () = look => {}
        }
        Claim(engine.clone()).run_once().await.unwrap();
        for run in runs {
            assert_eq!(place.record(run).await.epoch, 2, "seed {seed}");
            assert!(engine.executes(run), "seed {seed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_until_a_run_is_taken_loses_none() {
    for seed in 0..20 {
        let place = Place::new();
        let (engine, _) = place.slow_engine(seed);
        Heartbeat(engine.clone()).run_once().await.unwrap();
        for after_ms in (0..1000).step_by(50) {
            let patience = Duration::from_millis(after_ms);
            let _ = tokio::time::timeout(patience, start(&engine, NAP)).await;
            let run = begun_by_nobody(&engine, NAP).await;
            let _ = tokio::time::timeout(patience, engine.resume(run)).await;
        }
        for _ in 0..3 {
            Claim(engine.clone()).run_once().await.unwrap();
        }
        let filter = store::RunFilter {
            limit: 1000,
            ..store::RunFilter::default()
        };
        let runs = place.oracle.runs(filter).await.unwrap();
        assert!(runs.len() >= 20, "seed {seed}");
        for run in &runs {
            assert!(engine.executes(run.id), "seed {seed}: {run:?}");
        }
        assert_eq!(engine.live(), runs.len(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_run_is_looked_for_again_when_who_was_claiming_it_did_not_get_it() {
    for seed in 0..50 {
        let place = Place::new();
        let (engine, store) = place.slow_engine(seed);
        Heartbeat(engine.clone()).run_once().await.unwrap();
        let lost = lose(&place, &engine).await;
        Heartbeat(engine.clone()).run_once().await.unwrap();
        store.hold_rows(true);
        let looks = Claim(engine.clone());
        let (resumed, looked) = tokio::join!(engine.resume(lost), looks.run_once());
        assert!(resumed.is_err(), "seed {seed}");
        looked.unwrap();
        store.hold_rows(false);
        Claim(engine.clone()).run_once().await.unwrap();
        let ended = place.record(lost).await.status.is_final();
        assert!(ended || engine.executes(lost), "seed {seed}");
    }
}
