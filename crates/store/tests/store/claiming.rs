//! Claiming, heartbeats, release and cancel requests.
use std::{collections::BTreeSet, time::Instant};

use runstone_model::{
    ids::{RunId, ServerId},
    run::Status,
};
use runstone_store::{Claim, Commit, SqlStore, Store as _};
use runstone_testkit::{on_every_database, servers::stands_in};

use crate::harness::{TestDb, at, create, empty, flow, row, run_id, server_id, update};

/// How many are claimed in bulk.
async fn runs_for(store: &SqlStore) -> usize {
    let slow =
        "a thousand runs, not ten: without a hash join over bytes it compares each with each";
    if stands_in(store.database(), slow).await {
        1_000
    } else {
        10_000
    }
}

fn claim(server: ServerId, limit: u32) -> Claim {
    Claim {
        server,
        now: at(100),
        expired_before: at(50),
        limit,
        only: None,
    }
}

on_every_database! {
    async fn only_runs_without_a_living_owner_are_claimed(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (alive, dead, silent, me) = (server_id(), server_id(), server_id(), server_id());
        store.heartbeat(alive, at(60)).await.unwrap();
        store.heartbeat(dead, at(49)).await.unwrap();
        store.heartbeat(me, at(10)).await.unwrap();
        let mut runs = Vec::new();
        for owner in [Some(alive), Some(dead), Some(silent), Some(me), None] {
            let run = run_id();
            store.commit(create(run, flow, owner)).await.unwrap();
            runs.push(run);
        }
        let ended = Commit {
            update: Some(update(Status::Cancelled)),
            ..create(run_id(), flow, Some(dead))
        };
        store.commit(ended).await.unwrap();

        let claimed = store.claim(claim(me, 100)).await.unwrap();
        let ids: Vec<RunId> = claimed.iter().map(|claimed| claimed.run).collect();
        assert_eq!(ids, [runs[1], runs[2], runs[4]], "oldest first; ours stays as it is");
        assert!(claimed.iter().all(|claimed| claimed.epoch == 2));
        for (run, fenced) in [(runs[1], true), (runs[2], true), (runs[4], false)] {
            let record = store.run(run).await.unwrap().unwrap();
            assert_eq!((record.owner, record.epoch), (Some(me), 2));
            assert_eq!(record.status, Status::Running);
            assert_eq!(store.journal(run, 0, 9).await.unwrap().len(), usize::from(fenced));
        }
        assert_eq!(store.run(runs[3]).await.unwrap().unwrap().epoch, 1);
        assert_eq!(store.claim(claim(me, 100)).await.unwrap(), []);
    }

    async fn only_this_run(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (run, other, me) = (run_id(), run_id(), server_id());
        for run in [run, other] {
            store.commit(create(run, flow, None)).await.unwrap();
        }
        let only = Claim { only: Some(other), ..claim(me, 5) };
        assert_eq!(store.claim(only).await.unwrap().len(), 1);
        assert_eq!(store.run(run).await.unwrap().unwrap().owner, None);
        let again = store.claim(only).await.unwrap();
        assert_eq!(again[0].epoch, 3, "ours already, but we may not know it");
        let theirs = Claim { server: server_id(), ..only };
        store.heartbeat(me, at(100)).await.unwrap();
        assert_eq!(store.claim(theirs).await.unwrap(), [], "its owner lives");
        assert_eq!(store.owned(me, None).await.unwrap(), [other]);
        assert_eq!(store.owned(server_id(), None).await.unwrap(), []);
        let unknown = Claim { only: Some(run_id()), ..claim(me, 5) };
        assert_eq!(store.claim(unknown).await.unwrap(), []);
    }

    async fn ten_thousand_runs_are_claimed_and_loaded_in_bulk(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let count = runs_for(&store).await;
        let dead = server_id();
        let runs: Vec<RunId> = (0..count).map(|_| run_id()).collect();
        let all = runs.iter().map(|run| {
            store.commit(Commit {
                rows: (1..=3).map(row).collect(),
                ..create(*run, flow, Some(dead))
            })
        });
        for done in futures::future::join_all(all).await {
            done.unwrap();
        }
        let me = server_id();
        let started = Instant::now();
        let mut claimed = BTreeSet::new();
        loop {
            let batch = store.claim(claim(me, 2_500)).await.unwrap();
            if batch.is_empty() {
                break;
            }
            claimed.extend(batch.into_iter().map(|claimed| claimed.run));
        }
        let claiming = started.elapsed();
        assert_eq!(claimed.len(), count);
        let started = Instant::now();
        let loaded = store.load(&runs).await.unwrap();
        println!("claimed {count} in {claiming:?}, loaded them in {:?}", started.elapsed());
        assert_eq!(loaded.len(), count);
        for (loaded, run) in loaded.iter().zip(&runs) {
            assert_eq!(loaded.record.id, *run);
            let seqs: Vec<u64> = loaded.rows.iter().map(|row| row.row.seq).collect();
            assert_eq!(seqs, [1, 2, 3, 4], "the last one is the fence");
        }
    }

    async fn two_servers_never_claim_the_same_run(db: &TestDb) {
        let (one, two) = (db.store().await, db.store().await);
        let flow = flow(&one, "f").await;
        for _ in 0..300 {
            one.commit(create(run_id(), flow, None)).await.unwrap();
        }
        let (first, second) = (server_id(), server_id());
        for server in [first, second] {
            one.heartbeat(server, at(100)).await.unwrap();
        }
        let mut seen = BTreeSet::new();
        while seen.len() < 300 {
            let (a, b) = tokio::join!(one.claim(claim(first, 40)), two.claim(claim(second, 40)));
            for claimed in a.unwrap().into_iter().chain(b.unwrap()) {
                assert!(seen.insert(claimed.run), "claimed twice");
                assert_eq!(claimed.epoch, 2);
            }
        }
    }

    async fn a_clean_stop_gives_the_runs_back(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (leaving, staying) = (server_id(), server_id());
        let mut runs = Vec::new();
        for owner in [leaving, leaving, staying] {
            let run = run_id();
            store.heartbeat(owner, at(90)).await.unwrap();
            store.commit(create(run, flow, Some(owner))).await.unwrap();
            runs.push(run);
        }
        assert_eq!(store.release(leaving).await.unwrap(), 2);
        assert_eq!(store.release(leaving).await.unwrap(), 0);
        for run in &runs[..2] {
            assert_eq!(store.run(*run).await.unwrap().unwrap().owner, None);
        }
        assert_eq!(store.run(runs[2]).await.unwrap().unwrap().owner, Some(staying));
        let claimed = store.claim(claim(server_id(), 9)).await.unwrap();
        assert_eq!(claimed.len(), 2);
        assert_eq!(store.journal(runs[0], 0, 9).await.unwrap(), [], "nobody to fence");
    }

    async fn the_owner_hears_of_a_cancel_at_its_next_heartbeat(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let (me, other) = (server_id(), server_id());
        let (mine, theirs) = (run_id(), run_id());
        store.commit(create(mine, flow, Some(me))).await.unwrap();
        store.commit(create(theirs, flow, Some(other))).await.unwrap();
        assert_eq!(store.heartbeat(me, at(1)).await.unwrap(), []);
        assert!(store.request_cancel(mine, at(5)).await.unwrap());
        assert!(store.request_cancel(theirs, at(6)).await.unwrap());
        assert!(store.request_cancel(mine, at(7)).await.unwrap());
        assert!(!store.request_cancel(run_id(), at(7)).await.unwrap());
        assert_eq!(store.heartbeat(me, at(8)).await.unwrap(), [mine]);
        let record = store.run(mine).await.unwrap().unwrap();
        assert_eq!(record.cancel_requested_at, Some(at(5)), "the first request's time");

        let end = Commit { update: Some(update(Status::Cancelled)), ..empty(mine, 1) };
        store.commit(end).await.unwrap();
        assert_eq!(store.heartbeat(me, at(9)).await.unwrap(), []);
        assert!(!store.request_cancel(mine, at(10)).await.unwrap(), "it has ended");
    }
}
