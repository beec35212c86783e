//! SQLite's file: what can be wrong with it, and who else may hold it.
use crate::fixture::{Fixture, INSERT, item, one_step};
use runstone_db::{Class, Database, Options};
use rusqlite::Connection;
use std::{fs, time::Duration};

fn quick() -> Options {
    Options {
        busy_timeout: Duration::from_millis(50),
        ..Options::default()
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().display().to_string();
    fs::write(
        folder.path().join("text.db"),
        "this is no database, but a text\n".repeat(99),
    )
    .unwrap();
    let mut shown = Vec::new();
    for (path, class, create) in [
        ("", Class::Unavailable, true),
        ("/missing/runs.db", Class::Unavailable, true),
        ("/missing.db", Class::Unavailable, false),
        ("/text.db", Class::Corrupt, true),
        ("/text.db/runs.db", Class::Unavailable, true),
    ] {
        let options = Options { create, ..quick() };
        let error = Database::connect(&format!("sqlite:{root}{path}"), options)
            .await
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.class, class, "{error}");
        shown.push(error.to_string().replace(&root, "[folder]"));
    }
    insta::assert_snapshot!(shown.join("\n"));
    assert!(
        !folder.path().join("missing.db").exists(),
        "nothing is created"
    );
}

#[tokio::test]
async fn a_read_only_database_can_be_read_and_not_written() {
    let fixture = Fixture::sqlite().await.with_items().await;
    let insert = fixture.statement(INSERT);
    fixture
        .db
        .batch(one_step(&insert, vec![item(1)]))
        .await
        .unwrap();
    let reader = Database::connect(
        &fixture.url,
        Options {
            read_only: true,
            ..quick()
        },
    )
    .await
    .unwrap();
    let select = fixture.statement("SELECT n FROM item");
    assert_eq!(reader.fetch_all(&select, &[]).await.unwrap().len(), 1);
    let error = reader
        .batch(one_step(&insert, vec![item(2)]))
        .await
        .unwrap_err();
    assert_eq!(error.class, Class::ReadOnly, "{error}");
    reader.close().await;
    fixture.end().await;
}

#[tokio::test]
async fn a_lock_of_another_process_is_waited_for_and_then_reported() {
    let fixture = Fixture::sqlite_with(quick()).await.with_items().await;
    let insert = fixture.statement(INSERT);
    let path = fixture.url.strip_prefix("sqlite:").unwrap();
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for rows in [1, 100] {
        let batch = one_step(&insert, (0..rows).map(item).collect());
        let error = fixture.db.batch(batch).await.unwrap_err();
        assert_eq!(error.class, Class::Busy, "{error}");
        assert!(
            error.message.contains("locked by another process"),
            "{error}"
        );
    }
    // Reading goes on.
    assert_eq!(fixture.count("item").await, 0);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        fixture.db.batch(one_step(&insert, vec![item(1)])).await,
        Ok(vec![1])
    );
    fixture.end().await;
}

#[tokio::test]
async fn a_lock_that_is_let_go_in_time_costs_nothing_but_time() {
    let fixture = Fixture::sqlite().await.with_items().await;
    let insert = fixture.statement(INSERT);
    let other = Connection::open(fixture.url.strip_prefix("sqlite:").unwrap()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let db = fixture.db.clone();
    let waiting = tokio::spawn(async move { db.batch(one_step(&insert, vec![item(1)])).await });
    while fixture.db.stats().idle == fixture.db.stats().open && !waiting.is_finished() {
        tokio::task::yield_now().await;
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(vec![1]));
    fixture.end().await;
}

#[tokio::test]
async fn a_full_disk_is_reported_and_survived() {
    let fixture = Fixture::sqlite().await.with_items().await;
    let insert = fixture.statement(INSERT);
    fixture.execute("PRAGMA max_page_count = 40").await.unwrap();
    let mut failed = None;
    for n in 0..100 {
        let mut batch = one_step(&insert, (0..50).map(|i| item(n * 50 + i)).collect());
        batch.steps[0].expect = Some(50);
        if let Err(error) = fixture.db.batch(batch).await {
            failed = Some((n, error));
            break;
        }
    }
    let (batches, error) = failed.unwrap();
    assert_eq!(error.class, Class::Full, "{error}");
    assert_eq!(
        fixture.count("item").await,
        batches * 50,
        "whole batches only"
    );
    fixture
        .execute("PRAGMA max_page_count = 100000")
        .await
        .unwrap();
    assert_eq!(
        fixture.db.batch(one_step(&insert, vec![item(1)])).await,
        Ok(vec![1])
    );
    fixture.end().await;
}

#[tokio::test]
async fn a_damaged_page_is_reported() {
    let fixture = Fixture::sqlite().await.with_items().await;
    let insert = fixture.statement(INSERT);
    let rows = (0..2_000).map(item).collect();
    fixture.db.batch(one_step(&insert, rows)).await.unwrap();
    fixture.db.close().await;
    let path = fixture.url.strip_prefix("sqlite:").unwrap();
    let mut bytes = fs::read(path).unwrap();
    let end = bytes.len();
    bytes[4_096 * 2..end].fill(0xA5);
    fs::write(path, bytes).unwrap();
    let again = Database::connect(&fixture.url, quick()).await.unwrap();
    let select = fixture.statement("SELECT sum(n) AS n FROM item");
    let error = again.fetch_all(&select, &[]).await.unwrap_err();
    assert_eq!(error.class, Class::Corrupt, "{error}");
    again.close().await;
}

#[tokio::test]
async fn a_statement_beyond_its_time_is_stopped() {
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS m FROM n";
    let options = Options {
        statement_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    let mut all = vec![Fixture::sqlite_with(options.clone()).await];
    all.extend(Fixture::postgres_with(options).await);
    for fixture in all {
        let fixture = fixture.with_items().await;
        let reads = fixture.statement(endless);
        let error = fixture.db.fetch_all(&reads, &[]).await.unwrap_err();
        assert_eq!(error.class, Class::Timeout, "{error}");
        let insert = fixture.statement(INSERT);
        assert_eq!(
            fixture.db.batch(one_step(&insert, vec![item(7)])).await,
            Ok(vec![1])
        );
        let writes = fixture.statement(&format!("UPDATE item SET n = ({endless})"));
        let error = fixture.db.execute(&writes, &[]).await.unwrap_err();
        assert_eq!(error.class, Class::Timeout, "{error}");
        assert_eq!(fixture.count("item WHERE n = 7").await, 1);
        assert_eq!(
            fixture.db.batch(one_step(&insert, vec![item(8)])).await,
            Ok(vec![1])
        );
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_file_that_was_deleted_or_replaced_under_the_writer_is_noticed() {
    for lose in ["", "-wal"] {
        let fixture = Fixture::sqlite().await.with_items().await;
        let insert = fixture.statement(INSERT);
        let path = fixture.url.strip_prefix("sqlite:").unwrap().to_owned();
        let db = &fixture.db;
        assert_eq!(
            db.batch(one_step(&insert, vec![item(1)])).await,
            Ok(vec![1])
        );
        let (lost, kept) = (format!("{path}{lose}"), format!("{path}.kept"));
        fs::rename(&lost, &kept).unwrap();
        // Small batches, large ones and transactions take different ways to the file.
        for rows in [1, 100] {
            let batch = one_step(&insert, (2..2 + rows).map(item).collect());
            let error = db.batch(batch).await.unwrap_err();
            assert!(error.message.contains("deleted or replaced"), "{error}");
        }
        assert!(db.transact(|_| Box::pin(async { Ok(()) })).await.is_err());
        fs::write(&lost, "another").unwrap();
        assert!(fixture.execute("DELETE FROM item").await.is_err());
        // Put back, it goes on.
        fs::rename(&kept, &lost).unwrap();
        assert_eq!(
            db.batch(one_step(&insert, vec![item(4)])).await,
            Ok(vec![1])
        );
        assert_eq!(fixture.count("item").await, 2);
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_database_in_memory_is_one_for_all_its_connections() {
    let fixture = Fixture::memory().await.with_items().await;
    let insert = fixture.statement(INSERT);
    let rows = (0..100).map(item).collect();
    assert_eq!(
        fixture.db.batch(one_step(&insert, rows)).await,
        Ok(vec![100])
    );
    assert_eq!(fixture.count("item").await, 100);
    let delete = fixture.statement("DELETE FROM item WHERE n < 50");
    let inside = fixture
        .db
        .transact(move |tx| Box::pin(async move { tx.execute(&delete, &[]).await }));
    assert_eq!(inside.await, Ok(50));
    assert_eq!(fixture.count("item").await, 50);
    let other = Fixture::memory().await;
    assert!(
        other.execute("DELETE FROM item").await.is_err(),
        "it is its own"
    );
    fixture.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_is_opened_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let url = format!("sqlite:{}/{round}.db", folder.path().display());
        let opened = (0..12).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Database::connect(&url, Options::default()).await.map(drop) })
        });
        for opened in futures::future::join_all(opened).await {
            opened.unwrap().unwrap();
        }
    }
}
