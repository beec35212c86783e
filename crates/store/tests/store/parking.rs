//! Runs that wait for a time: nobody has them, and they are found when they are due, not before.
use runstone_model::{
    ids::{RunId, ServerId},
    run::Status,
};
use runstone_store::{Claim, Commit, Error, RunUpdate, SqlStore, Store as _};
use runstone_testkit::on_every_database;

use crate::{
    doctor::mended,
    harness::{TestDb, at, create, empty, flow, row, rows, run_id, server_id, sql, update},
};

fn claim(server: ServerId, now: i64) -> Claim {
    Claim {
        server,
        now: at(now),
        expired_before: at(50),
        limit: 100,
        only: None,
    }
}

fn until(wake_at: i64) -> RunUpdate {
    RunUpdate {
        wake_at: Some(at(wake_at)),
        ..update(Status::Waiting)
    }
}

/// A run of `owner` that has written one row and waits.
async fn parked(store: &SqlStore, owner: ServerId, wake_at: i64) -> RunId {
    let (run, flow) = (run_id(), flow(store, "f").await);
    store.commit(create(run, flow, Some(owner))).await.unwrap();
    let park = Commit {
        update: Some(until(wake_at)),
        ..rows(run, 1, [1])
    };
    store.commit(park).await.unwrap();
    run
}

async fn claimed(store: &SqlStore, server: ServerId, now: i64) -> Vec<RunId> {
    let claimed = store.claim(claim(server, now)).await.unwrap();
    claimed.into_iter().map(|claimed| claimed.run).collect()
}

on_every_database! {
    async fn a_parked_run_has_no_owner_and_is_claimed_when_it_is_due(db: &TestDb) {
        let store = db.store().await;
        let me = server_id();
        store.heartbeat(me, at(100)).await.unwrap();
        assert_eq!(store.next_wake().await.unwrap(), None);
        let late = parked(&store, me, 2_000).await;
        let soon = parked(&store, me, 1_000).await;
        let record = store.run(soon).await.unwrap().unwrap();
        assert_eq!((record.status, record.owner), (Status::Waiting, None));
        assert_eq!((record.wake_at, record.steps), (Some(at(1_000)), 3));
        assert_eq!(store.owned(me, None).await.unwrap(), []);
        assert_eq!(store.next_wake().await.unwrap(), Some(at(1_000)));

        assert_eq!(claimed(&store, me, 999).await, []);
        assert_eq!(claimed(&store, me, 1_000).await, [soon]);
        let record = store.run(soon).await.unwrap().unwrap();
        assert_eq!((record.status, record.owner), (Status::Running, Some(me)));
        assert_eq!((record.wake_at, record.epoch), (None, 2));
        assert_eq!(store.journal(soon, 1, 9).await.unwrap(), [], "nobody was taken over from");
        assert_eq!(store.owned(me, None).await.unwrap(), [soon]);
        assert_eq!(store.next_wake().await.unwrap(), Some(at(2_000)));
        assert_eq!(claimed(&store, server_id(), 5_000).await, [late]);
        assert_eq!(store.next_wake().await.unwrap(), None);
    }

    async fn who_parked_a_run_is_fenced_from_it_like_anybody(db: &TestDb) {
        let store = db.store().await;
        let (old, new) = (server_id(), server_id());
        store.heartbeat(new, at(100)).await.unwrap();
        let run = parked(&store, old, 1_000).await;
        // The answer was lost: said again, it is as it was.
        let again = Commit { update: Some(until(1_000)), ..rows(run, 1, [1]) };
        store.commit(again.clone()).await.unwrap();
        let only = Claim { only: Some(run), ..claim(new, 100) };
        assert_eq!(store.claim(only).await.unwrap().len(), 1, "due or not");
        store.commit(again).await.unwrap();
        let record = store.run(run).await.unwrap().unwrap();
        assert_eq!((record.owner, record.wake_at), (Some(new), None), "that was before the claim");
        for stale in [
            Commit { update: Some(until(7)), ..empty(run, 1) },
            Commit { update: Some(until(7)), ..rows(run, 1, [2]) },
        ] {
            assert_eq!(store.commit(stale).await, Err(Error::Fenced));
        }
        store.commit(rows(run, 2, [2])).await.unwrap();
        assert_eq!(store.journal(run, 0, 9).await.unwrap()[1].epoch, 2);
    }

    async fn a_run_that_is_to_be_cancelled_is_due_at_once(db: &TestDb) {
        let store = db.store().await;
        let me = server_id();
        store.heartbeat(me, at(100)).await.unwrap();
        let asked_later = parked(&store, me, 9_000).await;
        assert!(store.request_cancel(asked_later, at(200)).await.unwrap());
        let asked_before = run_id();
        let flow = flow(&store, "f").await;
        store.commit(create(asked_before, flow, Some(me))).await.unwrap();
        assert!(store.request_cancel(asked_before, at(300)).await.unwrap());
        let park = Commit { update: Some(until(9_000)), rows: vec![row(1)], ..empty(asked_before, 1) };
        store.commit(park).await.unwrap();
        assert_eq!(store.next_wake().await.unwrap(), Some(at(200)));
        let mut due = claimed(&store, me, 300).await;
        due.sort_unstable();
        assert_eq!(due, [asked_later, asked_before]);
    }

    async fn the_doctor_finds_a_time_that_nobody_waits_for(db: &TestDb) {
        let store = db.store().await;
        let me = server_id();
        parked(&store, me, 9_000).await;
        let (run, flow) = (run_id(), flow(&store, "f").await);
        store.commit(create(run, flow, None)).await.unwrap();
        let id = [("id", run.0.into())];
        sql(&store, "UPDATE runs SET wake_at = 5 WHERE id = :id", &id).await;
        mended(&store, "wakes_without_waiting", "does not wait for it", "no time any more").await;
        assert_eq!(claimed(&store, me, 100).await, [run]);
    }
}
