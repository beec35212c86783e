//! From every kind of database to every kind.
use std::{collections::BTreeMap, sync::Arc};

use runstone_engine::Engine;
use runstone_model::{
    ids::RunId,
    run::{RunEnd, Status},
    time::Timestamp,
};
use runstone_store::{RunFilter, SqlStore, Store as _, backup::verify};
use runstone_testkit::{
    on_every_database,
    servers::{Fresh, TestDatabase},
};

use crate::{
    archives::{content, leading_to, passphrase, take, try_restore},
    filling::{Filled, Gate, end, engine, looped, open, parked},
    others,
};

/// One of each kind.
const KINDS: [TestDatabase; 5] = [
    TestDatabase::Sqlite,
    TestDatabase::Postgres,
    TestDatabase::Mariadb,
    TestDatabase::Mysql,
    TestDatabase::Mssql,
];

async fn runs(store: &SqlStore) -> Vec<RunId> {
    let filter = RunFilter {
        limit: 10_000,
        ..RunFilter::default()
    };
    let runs = store.runs(filter).await.unwrap();
    runs.into_iter().map(|run| run.id).collect()
}

/// Each run as the store gives it, but for its owner.
async fn told(store: &SqlStore, only: &[RunId]) -> BTreeMap<RunId, String> {
    let mut told = BTreeMap::new();
    for id in only {
        let mut record = store.run(*id).await.unwrap().unwrap();
        record.owner = None;
        let journal = store.journal(*id, 0, 100_000).await.unwrap();
        let loaded = store.load(&[*id]).await.unwrap().remove(0);
        let text = format!(
            "{record:?}\n{journal:?}\n{:?}\n{:?}",
            loaded.snapshot, loaded.rows
        );
        told.insert(*id, text);
    }
    told
}

/// Goes on with everything that is not finished and does not wait for a time, to its end.
async fn go_on(engine: &Engine, store: &SqlStore) -> BTreeMap<RunId, RunEnd> {
    let mut ends = BTreeMap::new();
    for id in runs(store).await {
        let record = store.run(id).await.unwrap().unwrap();
        if !record.status.is_final() && record.wake_at.is_none() {
            assert_eq!(record.owner, None, "{id}");
            let handle = engine.resume(id).await.unwrap();
            ends.insert(id, end(handle).await);
        }
    }
    ends
}

on_every_database! {
    async fn slow_a_backup_taken_while_runs_go_on_is_restored_into_every_kind(from: Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let store = open(from.url()).await;
        let filled = Filled::new(&store).await;
        others::fill(&store).await;
        let parked = parked(&filled.engine).await;
        let before = runs(&store).await;
        // Runs begin and end all the time that the backup takes.
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let going = tokio::spawn({
            let engine = filled.engine.clone();
            async move {
                let mut count = 0;
                while !*stopped.borrow() {
                    looped(&engine).await;
                    count += 1;
                }
                count
            }
        });
        let (path, taken) = take(&store, folder.path(), "a.rsb", None).await;
        stop.send(true).unwrap();
        assert!(going.await.unwrap() > 0);
        let chain = leading_to(folder.path(), "a.rsb");
        let verified = verify(&chain[0], None, passphrase().as_ref(), &Arc::default()).unwrap();
        assert_eq!((verified.problems, &verified.trailer), (Vec::new(), &taken.trailer));
        let content_of_source = content(&path);
        assert!(content_of_source.values().all(|rows| !rows.is_empty()), "nothing is missing");

        let finished: Vec<RunId> = {
            let mut finished = Vec::new();
            for id in &before {
                let status = store.run(*id).await.unwrap().unwrap().status;
                if matches!(status, Status::Completed | Status::Failed | Status::Cancelled) {
                    finished.push(*id);
                }
            }
            finished
        };
        assert!(finished.len() >= 22);
        let told_of_source = told(&store, &before).await;
        filled.gate.open();
        let mut ends = BTreeMap::new();
        for handle in filled.waiting {
            ends.insert(handle.id, end(handle).await);
        }
        filled.engine.stop();

        for kind in KINDS {
            if !kind.is_there_as_well() {
                continue;
            }
            let to = Fresh::on(kind).await.expect("it is there");
            let name = kind.name();
            let restored = try_restore(to.url(), chain.clone()).await;
            let restored = restored.unwrap_or_else(|error| panic!("into {name}: {error}"));
            assert_eq!(restored.newest.trailer, taken.trailer);
            let target = open(to.url()).await;
            assert_eq!(told(&target, &before).await, told_of_source, "{name}");
            // Whatever the kind, a backup of the restored database holds the same.
            let (again, _) = take(&target, to.folder(), "again.rsb", None).await;
            assert_eq!(content(&again), content_of_source, "{name}");
            let findings = target.doctor(Timestamp(i64::MAX)).await.unwrap();
            assert!(findings.is_empty(), "{name}: {findings:#?}");
            let engine = engine(&target, &Gate::new(true));
            let gone_on = go_on(&engine, &target).await;
            for (id, end) in &ends {
                assert_eq!(gone_on.get(id), Some(end), "{name}: {id}");
            }
            assert!(gone_on.values().all(|end| matches!(end, RunEnd::Completed(_))), "{name}");
            let waits = target.run(parked).await.unwrap().unwrap();
            assert!(waits.wake_at.is_some_and(|at| at > waits.created_at), "{name}: {waits:?}");
            assert!(engine.cancel(parked, "enough").await.unwrap(), "{name}");
            let over = target.run(parked).await.unwrap().unwrap();
            assert_eq!((over.status, over.wake_at), (Status::Cancelled, None), "{name}");
            assert_eq!(told(&target, &finished).await.len(), finished.len());
            engine.stop();
            target.close().await;
        }
        store.close().await;
    }
}
