//! Increments: what is new is in them, what was deleted is gone, and each point in time comes back.
use std::sync::Arc;

use runstone_model::{ids::RunId, time::Timestamp};
use runstone_store::{
    SqlStore, Store as _,
    backup::{Archive, archive::Section, newest_at, verify},
};
use runstone_testkit::{on_databases, servers::Fresh};

use crate::{
    archives::{content, leading_to, passphrase, take, try_restore},
    filling::{Filled, end, looped, open},
};

async fn all(
    store: &SqlStore,
    folder: &std::path::Path,
) -> impl PartialEq + std::fmt::Debug + use<> {
    // A full backup is the plainest list of everything.
    let (path, _) = take(store, folder, "all.full", None).await;
    content(&path)
}

on_databases! {
    [sqlite Sqlite, postgres Postgres, mariadb Mariadb, mssql Mssql]
    async fn slow_each_archive_of_a_chain_gives_its_own_time_back(from: Fresh) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let store = open(from.url()).await;
        let filled = Filled::new(&store).await;
        let mut states = Vec::new();

        let (_, full) = take(&store, folder, "a.rsb", None).await;
        states.push(all(&store, folder).await);

        // Some go on, one is new, some are deleted.
        filled.gate.open();
        let mut waiting = filled.waiting.into_iter();
        end(waiting.next().unwrap()).await;
        end(waiting.next().unwrap()).await;
        for handle in waiting {
            end(handle).await;
        }
        let new = looped(&filled.engine).await;
        let filter = runstone_store::RunFilter { limit: 500, ..Default::default() };
        let runs = store.runs(filter).await.unwrap();
        let old: Vec<RunId> = runs.iter().rev().map(|run| run.id).take(7).collect();
        assert_eq!(store.delete_runs(&old).await.unwrap(), 7);
        let (_, first) = take(&store, folder, "b.rsb", Some("a.rsb")).await;
        states.push(all(&store, folder).await);
        assert_eq!(first.header.parent, Some(full.header.id));
        // Four that waited, the new one, and the one that nobody has begun.
        assert_eq!(first.trailer.count(Section::Runs), 6);
        assert_eq!(first.trailer.count(Section::FlowVersions), 0);
        assert!(first.bytes < full.bytes);

        looped(&filled.engine).await;
        assert_eq!(store.delete_runs(&[new]).await.unwrap(), 1);
        let (_, second) = take(&store, folder, "c.rsb", Some("b.rsb")).await;
        states.push(all(&store, folder).await);
        assert_eq!(second.trailer.count(Section::Runs), 2);

        let known: Vec<Archive> = ["a.rsb", "b.rsb", "c.rsb"]
            .map(|name| Archive::open(&folder.join(name)).unwrap()).into();
        for (at, name) in ["a.rsb", "b.rsb", "c.rsb"].into_iter().enumerate() {
            let time = Timestamp(known[at].header.created_at);
            assert_eq!(newest_at(&known, Some(time)), Some(&known[at]));
            let chain = leading_to(folder, name);
            assert_eq!(chain.len(), at + 1);
            let parent = at.checked_sub(1).map(|at| &known[at]);
            let verified = verify(&known[at], parent, passphrase().as_ref(), &Arc::default());
            assert_eq!(verified.unwrap().problems, [""; 0]);
            let to = Fresh::on(from.database()).await.unwrap();
            try_restore(to.url(), chain).await.unwrap();
            let target = open(to.url()).await;
            assert_eq!(all(&target, to.folder()).await, states[at], "{name}");
            let findings = target.doctor(Timestamp(i64::MAX)).await.unwrap();
            let findings: Vec<_> = findings.iter().filter(|found| found.is_open()).collect();
            assert!(findings.is_empty(), "{name}: {findings:#?}");
            target.close().await;
        }
        filled.engine.stop();
    }
}
