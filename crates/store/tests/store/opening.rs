//! Opening: every way in which it fails says what to do.
use std::fs;

use runstone_store::{OpenError, OpenOptions, SqlStore, Store as _};

use crate::harness::{TestDb, create, flow, run_id};

fn engine(who: &str) -> OpenOptions {
    OpenOptions {
        migrate: true,
        engine_lock: true,
        who: who.to_owned(),
        ..OpenOptions::default()
    }
}

#[tokio::test]
async fn a_second_engine_is_told_who_holds_the_file() {
    let db = TestDb::sqlite().await;
    let first = SqlStore::open(&db.url, engine("runstone run flow.yaml"))
        .await
        .unwrap();
    let error = SqlStore::open(&db.url, engine("runstone resume"))
        .await
        .unwrap_err();
    let pid = std::process::id();
    let holder = format!("process {pid}: runstone run flow.yaml");
    assert_eq!(error, OpenError::Locked { holder });
    assert!(
        error.to_string().contains("wait for it or stop it"),
        "{error}"
    );

    // Who only looks, or only asks for a cancel, needs no lock.
    let run = run_id();
    first
        .commit(create(run, flow(&first, "f").await, None))
        .await
        .unwrap();
    let watcher = SqlStore::open(&db.url, OpenOptions::default())
        .await
        .unwrap();
    assert!(
        watcher
            .request_cancel(run, crate::harness::at(1))
            .await
            .unwrap()
    );

    drop(first);
    SqlStore::open(&db.url, engine("runstone resume"))
        .await
        .unwrap();
}

#[tokio::test]
async fn urls_that_mean_nothing_are_refused() {
    for url in ["", "runs.db", "sqlite:", "oracle://x/y", "postgres:x"] {
        let error = SqlStore::open(url, OpenOptions::default())
            .await
            .unwrap_err();
        assert!(
            matches!(error, OpenError::WrongUrl { .. }),
            "{url}: {error:?}"
        );
        assert!(error.to_string().contains("sqlite:FILE"), "{error}");
    }
    for (url, named) in [
        ("sqlite:a.db?mode=ro", "`mode`"),
        ("oracle://me:geheim@host/db", "sqlite:FILE"),
        ("mysql://me:geheim@127.0.0.1:1/db?colour=red", "`colour`"),
    ] {
        let error = SqlStore::open(url, OpenOptions::default())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[tokio::test]
async fn a_file_or_a_server_that_is_not_there_is_unreachable() {
    let db = TestDb::sqlite().await;
    let missing = format!("sqlite:{}", db.folder.join("no/such/folder.db").display());
    for url in [
        db.url.as_str(),
        &missing,
        "postgres://nobody@127.0.0.1:1/none",
    ] {
        let error = SqlStore::open(url, OpenOptions::default())
            .await
            .unwrap_err();
        assert!(
            matches!(error, OpenError::Unreachable { .. }),
            "{url}: {error:?}"
        );
    }
    let error = SqlStore::open(&missing, engine("x")).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(
        !fs::exists(db.folder.join("test.db")).unwrap(),
        "nothing was created"
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt() {
    let db = TestDb::sqlite().await;
    let path = db.folder.join("test.db");
    fs::write(
        &path,
        "not a database at all, but long enough to look at".repeat(100),
    )
    .unwrap();
    let error = SqlStore::open(&db.url, OpenOptions::default())
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn read_only_reads_and_does_not_write() {
    let db = TestDb::sqlite().await;
    let store = db.store().await;
    let flow = flow(&store, "f").await;
    let run = run_id();
    store.commit(create(run, flow, None)).await.unwrap();
    let options = OpenOptions {
        read_only: true,
        ..OpenOptions::default()
    };
    let reader = SqlStore::open(&db.url, options).await.unwrap();
    assert_eq!(reader.run(run).await.unwrap().unwrap().id, run);
    let error = reader
        .commit(create(run_id(), flow, None))
        .await
        .unwrap_err();
    assert!(
        matches!(error, runstone_store::Error::Other(_)),
        "{error:?}"
    );
}
