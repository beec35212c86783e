//! A project is purged in portions; one that is restored meanwhile stays.
use std::time::{Duration, Instant};

use runstone_model::ids::ThreadId;
use runstone_store::{ProjectWrite, Purged, thread::ThreadText};
use runstone_testkit::on_every_database;

use crate::{Content, at, fresh_id};

const THREADS: u64 = 300;

on_every_database! {
    async fn a_project_restored_in_the_middle_of_its_purge_stays(db: &Content) {
        let (store, project) = (&db.store, db.other);
        let threads = (0..THREADS).map(|_| {
            let (id, text) = (ThreadId(fresh_id()), ThreadText::default());
            store.create_thread(project, id, text, at(5))
        });
        let made = futures::future::try_join_all(threads).await.unwrap();
        assert_eq!(made.len(), 300);
        let before = store.project(project).await.unwrap().unwrap();
        let set = async |version, deleted| {
            let done = store.set_project_deleted(project, version, deleted, at(10)).await;
            assert_eq!(done.unwrap(), ProjectWrite::Done);
        };
        assert_eq!(store.purge_project(project).await.unwrap(), Purged::NotDeleted);
        set(before.version, true).await;
        let purging = tokio::spawn({
            let store = store.clone();
            async move { store.purge_project(project).await }
        });
        let began = Instant::now();
        while store.count_threads(project).await.unwrap() == THREADS {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing is purged");
            tokio::task::yield_now().await;
        }
        set(before.version + 1, false).await;
        assert_eq!(purging.await.unwrap().unwrap(), Purged::NotDeleted);
        assert!(store.project(project).await.unwrap().is_some());
        assert!(store.count_threads(project).await.unwrap() > 0, "it was purged to its end");
        set(before.version + 2, true).await;
        assert_eq!(store.purge_project(project).await.unwrap(), Purged::Gone);
        assert_eq!(store.project(project).await.unwrap(), None);
    }
}
