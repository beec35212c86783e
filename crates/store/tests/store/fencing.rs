//! Two owners of one run: the old one writes nothing any more, and knows it.
use std::sync::Arc;

use runstone_model::{
    ids::{RunId, ServerId},
    run::{Kind, Status},
};
use runstone_store::{Claim, Commit, Error, Snapshot, SqlStore, Store as _};
use runstone_testkit::{on_every_database, servers::stands_in};

use crate::harness::{
    Hold, TestDb, at, create, empty, flow, row, rows, run_id, server_id, sql, update,
};

/// A run of `owner` with three rows, taken over by another server. Answers its new epoch.
async fn taken_over(store: &SqlStore, run: RunId, owner: ServerId) -> i64 {
    let flow = flow(store, "f").await;
    let commit = Commit {
        rows: (1..=3).map(row).collect(),
        ..create(run, flow, Some(owner))
    };
    store.commit(commit).await.unwrap();
    let claim = Claim {
        server: server_id(),
        now: at(100),
        expired_before: at(50),
        limit: 10,
        only: Some(run),
    };
    let claimed = store.claim(claim).await.unwrap();
    assert_eq!(claimed.len(), 1);
    claimed[0].epoch
}

on_every_database! {
    async fn the_old_owner_is_fenced_at_once(db: &TestDb) {
        let (old, new) = (db.store().await, db.store().await);
        let run = run_id();
        let epoch = taken_over(&new, run, server_id()).await;
        assert_eq!(epoch, 2);
        let journal = new.journal(run, 3, 9).await.unwrap();
        assert_eq!(journal.len(), 1, "the row that fences");
        assert_eq!((journal[0].row.seq, journal[0].epoch), (4, 2));
        assert_eq!(journal[0].row.kind, Kind::TakenOver as i16);

        // Its first row conflicts, its second would not.
        assert_eq!(old.commit(rows(run, 1, [4, 5])).await, Err(Error::Fenced));
        let end = Commit { update: Some(update(Status::Completed)), ..empty(run, 1) };
        assert_eq!(old.commit(end).await, Err(Error::Fenced));
        let end = Commit { update: Some(update(Status::Completed)), ..rows(run, 1, [4, 5]) };
        assert_eq!(old.commit(end).await, Err(Error::Fenced));

        assert_eq!(new.journal(run, 4, 9).await.unwrap(), [], "nothing of the loser is there");
        assert_eq!(new.run(run).await.unwrap().unwrap().status, Status::Running);
        new.commit(rows(run, 2, [5])).await.unwrap();
    }

    async fn others_in_the_same_flush_are_written(db: &TestDb) {
        let store = Arc::new(db.store().await);
        let lost = run_id();
        taken_over(&store, lost, server_id()).await;
        let flow = flow(&store, "f").await;
        let others: Vec<RunId> = (0..50).map(|_| run_id()).collect();
        for run in &others {
            store.commit(create(*run, flow, Some(server_id()))).await.unwrap();
        }
        // The loser sends several commits at once: the later ones would not conflict by themselves.
        let losing = [rows(lost, 1, [4]), rows(lost, 1, [5, 6]), rows(lost, 1, [7])];
        let hold = Hold::on(&store).await;
        let first = store.commit(create(run_id(), flow, None));
        let mut all: Vec<_> = losing.map(|commit| store.commit(commit)).into();
        all.extend(others.iter().map(|run| store.commit(rows(*run, 1, [1, 2]))));
        let all = futures::future::join_all(all);
        let (first, done, ()) = tokio::join!(first, all, hold.release());
        first.unwrap();
        for answer in &done[..3] {
            assert_eq!(*answer, Err(Error::Fenced));
        }
        assert!(done[3..].iter().all(Result::is_ok));
        assert_eq!(store.journal(lost, 4, 9).await.unwrap(), []);
        for run in others {
            assert_eq!(store.journal(run, 0, 9).await.unwrap().len(), 2);
        }
    }

    async fn a_commit_whose_answer_was_lost_may_be_sent_again(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        let first = create(run, flow, Some(server_id()));
        let second = Commit {
            rows: vec![row(1), row(2)],
            update: Some(update(Status::Completed)),
            snapshot: Some(Snapshot { seq: 2, body: "{}".to_owned() }),
            ..empty(run, 1)
        };
        for commit in [&first, &first, &second, &second] {
            store.commit(commit.clone()).await.unwrap();
        }
        // All of it in one commit, as well.
        let whole = Commit { rows: vec![row(1)], ..create(run_id(), flow, None) };
        for _ in 0..2 {
            store.commit(whole.clone()).await.unwrap();
        }
        assert_eq!(store.journal(run, 0, 9).await.unwrap().len(), 2);
    }

    async fn other_content_in_our_epoch_is_not_taken_for_ours(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store.commit(Commit { rows: vec![row(1)], ..create(run, flow, None) }).await.unwrap();
        let mut other = rows(run, 1, [1]);
        other.rows[0].body = "{\"other\":1}".to_owned();
        assert_eq!(store.commit(other).await, Err(Error::Fenced));
        assert_eq!(store.commit(rows(run, 1, [1, 2])).await, Err(Error::Fenced));
        assert_eq!(store.journal(run, 0, 9).await.unwrap().len(), 1);
    }

    async fn two_creates_of_one_run_have_one_winner(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store.commit(create(run, flow, None)).await.unwrap();
        let mut other = create(run, flow, None);
        other.epoch = 2;
        assert_eq!(store.commit(other).await, Err(Error::Fenced));
    }

    async fn an_update_of_a_run_that_is_not_there_is_fenced(db: &TestDb) {
        let store = db.store().await;
        let commit = Commit { update: Some(update(Status::Failed)), ..rows(run_id(), 1, [1]) };
        let run = commit.run;
        assert_eq!(store.commit(commit).await, Err(Error::Fenced));
        assert_eq!(store.journal(run, 0, 9).await.unwrap(), []);
    }

    async fn an_old_owner_who_goes_on_writing_is_overtaken(db: &TestDb) {
        let (old, new) = (Arc::new(db.store().await), db.store().await);
        // SQL Server keeps the old owner's next row out; the stand-in ignores that hint.
        if stands_in(new.database(), "SKIPPED: no locks on keys that are not there").await {
            return;
        }
        let flow = flow(&new, "f").await;
        let owner = server_id();
        let runs: Vec<RunId> = (0..20).map(|_| run_id()).collect();
        for run in &runs {
            old.commit(create(*run, flow, Some(owner))).await.unwrap();
        }
        let writers: Vec<_> = runs
            .iter()
            .map(|run| {
                let (old, run) = (Arc::clone(&old), *run);
                tokio::spawn(async move {
                    let mut written = 0;
                    loop {
                        match old.commit(rows(run, 1, [written + 1])).await {
                            Ok(()) => written += 1,
                            Err(error) => return (run, written, error),
                        }
                    }
                })
            })
            .collect();
        let claim = Claim {
            server: server_id(),
            now: at(100),
            expired_before: at(50),
            limit: 100,
            only: None,
        };
        let mut claimed = Vec::new();
        while claimed.len() < runs.len() {
            claimed.extend(new.claim(claim).await.unwrap());
        }
        for writer in writers {
            let (run, written, error) = writer.await.unwrap();
            assert_eq!(error, Error::Fenced);
            let journal = new.journal(run, 0, 100_000).await.unwrap();
            assert_eq!(journal.len() as u64, written + 1, "all that was acknowledged, and the fence");
            assert!(journal.iter().zip(1..).all(|(row, seq)| row.row.seq == seq));
            assert_eq!(journal.last().unwrap().epoch, 2);
        }
        assert_eq!(sql(&new, "DELETE FROM journal WHERE epoch > 2", &[]).await, 0);
    }
}
