//! A database that goes away in the middle: runs wait and go on, none fails, none is lost, nobody
//! spins.
use std::time::{Duration, Instant};

use runstone_engine::{Engine, EventKind, RunHandle, RunResult, loops::Loops};
use runstone_model::run::RunEnd;
use runstone_testkit::{
    on_every_server,
    proxy::{Mode, Proxy},
};
use serde_json::json;

use crate::harness::{Place, start};

/// Longer than anything here may take.
const HANG: Duration = Duration::from_secs(120);

/// Ten steps that take a moment each, one after the other.
const CHAIN: &str = "{runstone: 1, name: chain, start: s, \
    state: {n: {type: integer, reducer: add, default: 0}}, \
    nodes: {s: {uses: sleep, with: {for: 50ms}, out: {n: 1}}}, \
    edges: [{from: s, to: s, when: state.n < 10, max: 20}, {from: s, to: end, else: true}], \
    output: {n: '${{ state.n }}'}}";

async fn begin(engine: &Engine, count: usize) -> Vec<RunHandle> {
    let mut handles = Vec::with_capacity(count);
    for _ in 0..count {
        handles.push(start(engine, CHAIN).await);
    }
    handles
}

async fn all_end_well(handles: Vec<RunHandle>) {
    for handle in handles {
        let ended = tokio::time::timeout(HANG, handle.wait()).await.unwrap();
        match ended {
            RunResult::Ended { end, steps } => {
                let RunEnd::Completed(output) = end else {
                    panic!("{end:?}")
                };
                assert_eq!(*output, json!({"n": 10}));
                assert_eq!(steps, 10, "none was lost and none done twice");
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < HANG, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

on_every_server! {
    async fn runs_go_on_after_the_database_was_cut_off(place: &Place) {
        let proxy = Proxy::before(place.url()).await;
        let engine = place.engine_at(&proxy.url(place.url())).await;
        let loops = Loops::start(&engine, true);
        let handles = begin(&engine, 30).await;
        for round in 0..3 {
            let (tried, began) = (proxy.accepted(), Instant::now());
            proxy.set(Mode::Cut);
            until("it is tried again and again", || proxy.accepted() >= tried + 6).await;
            let (tried, took) = (proxy.accepted() - tried, began.elapsed());
            assert!(
                tried < 60 + 4 * took.as_secs(),
                "{tried} connections in {took:?}: somebody spins"
            );
            proxy.set(if round == 1 {
                Mode::Slow(Duration::from_millis(10))
            } else {
                Mode::Pass
            });
            let (server, before) = (proxy.accepted(), Instant::now());
            until("it is found again", || {
                proxy.accepted() > server || before.elapsed() > Duration::from_secs(2)
            })
            .await;
        }
        all_end_well(handles).await;
        assert_eq!(engine.live(), 0);
        engine.stop();
        loops.join().await;
    }
}

/// Beyond the store's own patience the executor says so, once for all runs, and keeps trying.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_postgres_runs_wait_for_a_database_that_is_away_for_long() {
    use runstone_testkit::servers::{Fixture as _, TestDatabase};
    let Some(place) = Place::open(TestDatabase::Postgres).await else {
        return;
    };
    let proxy = Proxy::before(place.url()).await;
    let engine = place.engine_at(&proxy.url(place.url())).await;
    let mut events = engine.events();
    let mut outages = engine.outages();
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        while told.len() < 2 && outages.changed().await.is_ok() {
            told.push(outages.borrow_and_update().as_deref().map(str::to_owned));
        }
        (told, outages)
    });
    let handles = begin(&engine, 10).await;
    proxy.set(Mode::Refuse);
    let said = async {
        loop {
            if let Ok(event) = events.recv().await
                && let EventKind::StoreUnavailable { message } = event.kind
            {
                return message;
            }
        }
    };
    let message = tokio::time::timeout(HANG, said).await.unwrap();
    assert!(message.contains("cannot connect to"), "{message}");
    proxy.set(Mode::Pass);
    all_end_well(handles).await;
    let (told, outages) = tokio::time::timeout(HANG, told).await.unwrap().unwrap();
    let [Some(why), None] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(why.contains("cannot connect to"), "{why}");
    assert!(
        !outages.has_changed().unwrap(),
        "ten runs, two pieces of news"
    );
}
