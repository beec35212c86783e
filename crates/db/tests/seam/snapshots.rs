//! Snapshots: one state, however much is written meanwhile, and nobody is kept waiting by it.
use runstone_db::{Isolation, Options};
use runstone_testkit::on_every_database;
use std::time::Duration;

use crate::fixture::{Fixture, INSERT_VALUES, item, one_step};

const PAGE: &str = "SELECT n FROM item WHERE n > :after ORDER BY n {{limit 10}}";

/// All rows, page by page; `between` is called after each page.
async fn pages<B: Future<Output = ()>>(
    fixture: &Fixture,
    snapshot: &mut runstone_db::Snapshot,
    between: impl Fn(i64) -> B,
) -> Vec<i64> {
    let page = fixture.statement(PAGE);
    let (mut found, mut after) = (Vec::new(), -1_i64);
    loop {
        let rows = snapshot.fetch_all(&page, &[("after", after.into())]).await;
        let rows = rows.unwrap();
        let Some(last) = rows.last() else {
            return found;
        };
        after = last.get("n").unwrap();
        assert!(found.len() < 1000, "it sees what is written meanwhile");
        found.extend(rows.iter().map(|row| row.get::<i64>("n").unwrap()));
        between(after).await;
    }
}

on_every_database! {
    async fn it_is_one_state_while_others_write(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let insert = fixture.statement(INSERT_VALUES);
        let rows = (0..55).map(item).collect();
        fixture.db.batch(one_step(&insert, rows)).await.unwrap();
        let mut snapshot = fixture.db.snapshot().await.unwrap();
        assert_eq!(snapshot.isolation(), Isolation::Versions);
        let found = pages(&fixture, &mut snapshot, async |after| {
            // Before and behind where it reads; the first page has fixed the state at the latest.
            let more = vec![item(1000 + after), item(100 + after)];
            fixture.db.batch(one_step(&insert, more)).await.unwrap();
            let gone = format!("DELETE FROM item WHERE n = {}", after + 3);
            fixture.execute(&gone).await.unwrap();
        })
        .await;
        assert_eq!(found, (0..55).collect::<Vec<i64>>());
        drop(snapshot);
        let mut now = fixture.db.snapshot().await.unwrap();
        let found = pages(&fixture, &mut now, async |_| {}).await;
        assert_eq!(i64::try_from(found.len()).unwrap(), fixture.count("item").await);
        assert_ne!(found.len(), 55);
        drop(now);
        fixture.end().await;
    }

    async fn it_can_only_be_read(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        let mut snapshot = fixture.db.snapshot().await.unwrap();
        let write = fixture.statement("DELETE FROM item");
        let error = snapshot.fetch_all(&write, &[]).await.unwrap_err();
        assert!(error.message.contains("only be read"), "{error}");
        // It goes on all the same.
        let read = fixture.statement("SELECT COUNT(*) AS n FROM item");
        assert_eq!(snapshot.fetch_all(&read, &[]).await.unwrap().len(), 1);
        drop(snapshot);
        fixture.end().await;
    }

    async fn dropped_snapshots_leave_nothing_behind(fixture: Fixture) {
        let fixture = fixture.with_items().await;
        for _ in 0..6 {
            let mut snapshot = fixture.db.snapshot().await.unwrap();
            let read = fixture.statement("SELECT COUNT(*) AS n FROM item");
            snapshot.fetch_all(&read, &[]).await.unwrap();
        }
        // What a snapshot's connection was set to is not passed on.
        let insert = fixture.statement(INSERT_VALUES);
        for n in 0..20 {
            fixture.db.batch(one_step(&insert, vec![item(n)])).await.unwrap();
        }
        assert_eq!(fixture.count("item").await, 20);
        fixture.end().await;
    }
}

#[tokio::test]
async fn a_database_in_memory_has_none() {
    let fixture = Fixture::memory().await;
    let error = fixture.db.snapshot().await.unwrap_err();
    assert!(error.message.contains("use a file"), "{error}");
}

#[tokio::test]
async fn on_sqlite_it_outlasts_the_statement_timeout_and_takes_no_reader() {
    let options = Options {
        readers: 1,
        statement_timeout: Duration::from_millis(50),
        ..Options::default()
    };
    let fixture = Fixture::sqlite_with(options).await.with_items().await;
    let mut snapshot = fixture.db.snapshot().await.unwrap();
    // Longer than the timeout: statements that count for a while on the only reader.
    let slow = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000000) \
                SELECT COUNT(*) AS n FROM c";
    let slow = fixture.statement(slow);
    assert!(fixture.db.fetch_all(&slow, &[]).await.is_err());
    let rows = snapshot.fetch_all(&slow, &[]).await.unwrap();
    assert_eq!(rows[0].get::<i64>("n").unwrap(), 3_000_000);
}
