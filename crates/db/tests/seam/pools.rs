//! Pools: their sizes hold, and their numbers tell the truth.
use crate::fixture::{Fixture, INSERT, item, one_step};
use runstone_db::{Class, Error, Options};
use runstone_testkit::on_every_database;
use std::time::Duration;
use tokio::sync::oneshot;

/// At most, open, in use, idle, waiting.
fn sizes(fixture: &Fixture) -> [usize; 5] {
    let stats = fixture.db.stats();
    [
        stats.max,
        stats.open,
        stats.in_use,
        stats.idle,
        stats.waiting,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_counts_its_writer_and_readers() {
    let options = Options {
        readers: 2,
        ..Options::default()
    };
    let fixture = Fixture::sqlite_with(options).await.with_items().await;
    assert_eq!(sizes(&fixture), [3, 1, 0, 1, 0]);
    fixture.count("item").await;
    assert_eq!(sizes(&fixture), [3, 2, 0, 2, 0]);
    let (begun, go) = (oneshot::channel(), oneshot::channel::<()>());
    let db = fixture.db.clone();
    let holding = tokio::spawn(async move {
        db.transact(move |_| {
            Box::pin(async move {
                begun.0.send(()).unwrap();
                go.1.await.map_err(|_| Error::other("nobody is there"))
            })
        })
        .await
    });
    begun.1.await.unwrap();
    assert_eq!(fixture.db.stats().idle, 1, "the writer is taken");
    // While it is, nothing runs inline: it waits, and is there afterwards.
    let (db, insert) = (fixture.db.clone(), fixture.statement(INSERT));
    let waiting = tokio::spawn(async move { db.batch(one_step(&insert, vec![item(1)])).await });
    while fixture.db.stats().waiting == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        fixture.count("item").await,
        0,
        "readers do not wait for the writer"
    );
    go.0.send(()).unwrap();
    assert_eq!(holding.await.unwrap(), Ok(()));
    assert_eq!(waiting.await.unwrap(), Ok(vec![1]));
    fixture.end().await;
}

#[tokio::test]
async fn a_pool_that_is_used_up_says_so() {
    let options = Options {
        pool_size: 1,
        acquire_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let Some(fixture) = Fixture::postgres_with(options).await else {
        return;
    };
    assert_eq!(sizes(&fixture), [1, 1, 0, 1, 0]);
    let (begun, go) = (oneshot::channel(), oneshot::channel::<()>());
    let db = fixture.db.clone();
    let holding = tokio::spawn(async move {
        db.transact(move |_| {
            Box::pin(async move {
                begun.0.send(()).unwrap();
                go.1.await.map_err(|_| Error::other("nobody is there"))
            })
        })
        .await
    });
    begun.1.await.unwrap();
    assert_eq!(sizes(&fixture), [1, 1, 1, 0, 0]);
    let error = fixture.db.ping().await.unwrap_err();
    assert_eq!(error.class, Class::Busy);
    assert!(
        error.message.starts_with("all 1 connections to postgres"),
        "{error}"
    );
    go.0.send(()).unwrap();
    holding.await.unwrap().unwrap();
    assert_eq!(fixture.db.ping().await, Ok(()));
    fixture.end().await;
}

#[tokio::test]
async fn a_killed_connection_is_gone_and_replaced() {
    let options = Options {
        pool_size: 1,
        ..Options::default()
    };
    let Some(fixture) = Fixture::postgres_with(options).await else {
        return;
    };
    let suicide = fixture.statement("SELECT pg_terminate_backend(pg_backend_pid()) AS x");
    let error = fixture.db.fetch_all(&suicide, &[]).await.unwrap_err();
    assert_eq!(error.class, Class::Gone, "{error}");
    assert_eq!(fixture.db.ping().await, Ok(()));
    fixture.end().await;
}

on_every_database! {
    async fn a_changed_table_costs_one_retry_at_most(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let select = fixture.statement("SELECT * FROM item");
        fixture.db.fetch_all(&select, &[]).await.unwrap();
        let add = fixture.native([
            "ALTER TABLE item ADD COLUMN more TEXT",
            "ALTER TABLE item ADD COLUMN more TEXT",
            "ALTER TABLE item ADD COLUMN more TEXT",
            "ALTER TABLE item ADD more NVARCHAR(MAX)",
        ]);
        fixture.execute(add).await.unwrap();
        let policy = runstone_db::RetryPolicy {
            attempts: 2,
            ..Default::default()
        };
        let again = runstone_db::retry(policy, || fixture.db.fetch_all(&select, &[])).await;
        assert_eq!(again, Ok(vec![]));
        fixture.end().await;
    }
}
