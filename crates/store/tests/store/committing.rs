//! Group commit: what is acknowledged is there, whole, in order.
use std::sync::Arc;

use runstone_model::run::Status;
use runstone_store::{Blob, Commit, Error, Snapshot, Store as _};
use runstone_testkit::on_every_database;

use crate::harness::{TestDb, at, create, empty, flow, row, rows, run_id, server_id, update};

on_every_database! {
    async fn many_tasks_at_once_lose_nothing(db: &TestDb) {
        let store = Arc::new(db.store().await);
        let flow = flow(&store, "f").await;
        let server = server_id();
        let tasks: Vec<_> = (0..128)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let run = run_id();
                    store.commit(create(run, flow, Some(server))).await.unwrap();
                    for seq in 1..=10 {
                        store.commit(rows(run, 1, [seq])).await.unwrap();
                        let there = store.journal(run, seq - 1, 5).await.unwrap();
                        assert_eq!(there.len(), 1, "acknowledged, so it is there");
                    }
                    run
                })
            })
            .collect();
        for task in tasks {
            let run = task.await.unwrap();
            let found = store.journal(run, 0, 100).await.unwrap();
            let expected: Vec<_> = (1..=10).map(row).collect();
            assert_eq!(found.into_iter().map(|row| row.row).collect::<Vec<_>>(), expected);
        }
    }

    async fn commits_of_one_run_in_flight_together_stay_in_order(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store.commit(create(run, flow, Some(server_id()))).await.unwrap();
        // Two rows each: if one overtook another the journal would have a gap in between.
        let all = (0..200).map(|n| store.commit(rows(run, 1, [2 * n + 1, 2 * n + 2])));
        for done in futures::future::join_all(all).await {
            done.unwrap();
        }
        let found = store.journal(run, 0, 1000).await.unwrap();
        assert_eq!(found.len(), 400);
        assert!(found.iter().zip(1..).all(|(row, seq)| row.row.seq == seq));
    }

    async fn a_whole_run_fits_in_one_commit(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        let commit = Commit {
            rows: (1..=3).map(row).collect(),
            update: Some(update(Status::Completed)),
            snapshot: Some(Snapshot { seq: 3, body: "{}".to_owned() }),
            ..create(run, flow, Some(server_id()))
        };
        store.commit(commit).await.unwrap();
        let record = store.run(run).await.unwrap().unwrap();
        assert_eq!(record.status, Status::Completed);
        assert_eq!(record.owner, None, "an ended run has no owner");
        assert_eq!(record.finished_at, Some(at(9)));
        assert_eq!(record.output.as_deref(), Some("{\"done\":true}"));
        assert_eq!((record.steps, record.epoch), (3, 1));
    }

    async fn a_commit_that_breaks_a_constraint_leaves_nothing_and_spares_the_others(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let good: Vec<_> = (0..20).map(|_| run_id()).collect();
        let bad = run_id();
        // The flow version does not exist; seq 0 is not allowed; a final status needs a time.
        let mut broken = create(bad, runstone_model::ids::FlowVersionId(bad.0), None);
        broken.rows = vec![row(1)];
        let mut all = vec![
            store.commit(broken),
            store.commit(rows(bad, 1, [0])),
        ];
        all.extend(good.iter().map(|run| {
            store.commit(Commit { rows: vec![row(1)], ..create(*run, flow, None) })
        }));
        let done = futures::future::join_all(all).await;
        assert!(matches!(&done[0], Err(Error::Other(_))), "{:?}", done[0]);
        assert!(matches!(&done[1], Err(Error::Other(_))), "{:?}", done[1]);
        assert!(done[2..].iter().all(Result::is_ok), "{done:?}");
        assert_eq!(store.run(bad).await.unwrap(), None);
        assert_eq!(store.journal(bad, 0, 9).await.unwrap(), []);
        for run in good {
            assert_eq!(store.journal(run, 0, 9).await.unwrap().len(), 1);
        }
    }

    async fn large_values_are_stored_once_and_come_back(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let empty = store.storage_bytes().await.unwrap();
        let text = format!("[\"{}\"]", "large ".repeat(50_000));
        let hash = "ab".repeat(32);
        let blob = Blob { hash: hash.clone(), bytes: text.clone().into_bytes() };
        let body = format!("{{\"result\":{{\"$blob\":\"{hash}\"}}}}");
        let runs = [run_id(), run_id()];
        let all = runs.map(|run| {
            let mut first = row(1);
            first.body.clone_from(&body);
            store.commit(Commit {
                rows: vec![first],
                blobs: vec![blob.clone(), blob.clone()],
                snapshot: Some(Snapshot { seq: 1, body: body.clone() }),
                ..create(run, flow, None)
            })
        });
        for done in futures::future::join_all(all).await {
            done.unwrap();
        }
        for loaded in store.load(&runs).await.unwrap() {
            assert_eq!(loaded.blobs, std::slice::from_ref(&blob), "the snapshot refers to it");
            assert_eq!(loaded.snapshot.unwrap().body, body);
        }
        let resolved = store.journal(runs[0], 0, 1).await.unwrap();
        assert_eq!(resolved[0].row.body, format!("{{\"result\":{text}}}"));
        let bytes = store.storage_bytes().await.unwrap();
        // An empty table takes a page or more, so what there was before does not count.
        assert!(bytes < empty + 2 * 300_000, "it compresses well: {empty} to {bytes}");
    }

    async fn an_older_snapshot_never_replaces_a_newer_one(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store.commit(Commit { rows: (1..=9).map(row).collect(), ..create(run, flow, None) })
            .await
            .unwrap();
        for seq in [5, 8, 3] {
            let snapshot = Some(Snapshot { seq, body: format!("[{seq}]") });
            store.commit(Commit { snapshot, ..empty(run, 1) }).await.unwrap();
        }
        let loaded = store.load(&[run]).await.unwrap().remove(0);
        assert_eq!(loaded.snapshot, Some(Snapshot { seq: 8, body: "[8]".to_owned() }));
        assert_eq!(loaded.rows.iter().map(|row| row.row.seq).collect::<Vec<_>>(), [9]);
    }

    async fn more_than_a_flush_can_carry_goes_in_several(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let body = format!("[\"{}\"]", "x".repeat(1 << 20));
        let runs: Vec<_> = (0..20).map(|_| run_id()).collect();
        let all = runs.iter().map(|run| {
            let mut first = row(1);
            first.body.clone_from(&body);
            store.commit(Commit { rows: vec![first], ..create(*run, flow, None) })
        });
        for done in futures::future::join_all(all).await {
            done.unwrap();
        }
        for run in runs {
            assert_eq!(store.journal(run, 0, 9).await.unwrap()[0].row.body, body);
        }
    }

    async fn a_caller_that_gives_up_leaves_the_queue_working(db: &TestDb) {
        let store = db.store().await;
        let flow = flow(&store, "f").await;
        let run = run_id();
        store.commit(create(run, flow, None)).await.unwrap();
        for _ in 0..20 {
            let mut dropped: Vec<_> = (0..5)
                .map(|_| store.commit(create(run_id(), flow, None)))
                .collect();
            // Polled once, then dropped, wherever it stands.
            for commit in &mut dropped {
                let _ = futures::poll!(commit);
            }
        }
        for seq in 1..=5 {
            store.commit(rows(run, 1, [seq])).await.unwrap();
        }
        assert_eq!(store.journal(run, 0, 9).await.unwrap().len(), 5);
    }
}
