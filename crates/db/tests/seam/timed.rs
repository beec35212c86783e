//! How long statements took is known by name, whichever way they went; a slow one is told with its
//! name and its rows.
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::fixture::{Fixture, INSERT, item, one_step};
use runstone_db::{Statement, Timing};
use runstone_testkit::on_every_database;

/// The times under `name`.
fn timing(fixture: &Fixture, name: &str) -> Timing {
    let all = fixture.db.timings();
    let found = all.iter().find(|timing| &*timing.name == name);
    found.unwrap_or_else(|| panic!("{name}: {all:?}")).clone()
}

fn named(fixture: &Fixture, name: &str, text: &str) -> Arc<Statement> {
    Arc::new(Statement::render(name, text, fixture.db.dialect()).unwrap())
}

async fn make(fixture: &Fixture) {
    let uuid = fixture.native(["BLOB", "UUID", "BINARY(16)", "BINARY(16)"]);
    let make = format!("CREATE TABLE item (id {uuid} PRIMARY KEY, n BIGINT NOT NULL, note TEXT)");
    fixture.execute(&make).await.unwrap();
}

on_every_database! {
    async fn every_way_of_executing_is_timed(fixture: &Fixture) {
        let db = &fixture.db;
        make(fixture).await;
        let insert = named(fixture, "item.insert", INSERT);
        db.batch(one_step(&insert, vec![item(1), item(2), item(3)])).await.unwrap();
        assert_eq!(timing(fixture, "item.insert").rows, 3);

        let list = named(fixture, "item.list", "SELECT n FROM item");
        db.fetch_all(&list, &[]).await.unwrap();
        let update = named(fixture, "item.update", "UPDATE item SET n = n + 1 WHERE n > 1");
        let (read, write) = (Arc::clone(&list), Arc::clone(&update));
        let work = db.transact(move |tx| Box::pin(async move {
            tx.fetch_all(&read, &[]).await?;
            tx.execute(&write, &[]).await
        }));
        assert_eq!(work.await.unwrap(), 2);
        let read = timing(fixture, "item.list");
        assert_eq!((read.count, read.rows, read.failed), (2, 6, 0));
        assert!(read.max_us > 0 && read.total_us >= read.max_us, "{read:?}");
        assert_eq!(timing(fixture, "item.update").rows, 2);
        assert_eq!(timing(fixture, "commit").count, 1);

        let wrong = named(fixture, "item.wrong", "SELECT n FROM no_such_table");
        db.fetch_all(&wrong, &[]).await.unwrap_err();
        let wrong = timing(fixture, "item.wrong");
        assert_eq!((wrong.count, wrong.failed, wrong.slow), (1, 1, 0));
    }

    async fn what_is_slow_is_told_with_its_name_and_rows(fixture: &Fixture) {
        make(fixture).await;
        let insert = named(fixture, "item.insert", INSERT);
        fixture.db.batch(one_step(&insert, vec![item(4711), item(1)])).await.unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let teller = Arc::clone(&told);
        // Every statement takes a microsecond.
        fixture.db.tell_slow(Duration::from_micros(1), move |slow| {
            teller.lock().unwrap().push((slow.name.to_string(), slow.rows, slow.failed));
        });
        let find = named(fixture, "item.find", "SELECT n FROM item WHERE n = :n");
        fixture.db.fetch_all(&find, &[("n", 4711_i64.into())]).await.unwrap();
        let told = told.lock().unwrap();
        assert_eq!(*told, [("item.find".to_owned(), 1, false)]);
        assert_eq!(timing(fixture, "item.find").slow, 1);
        assert_eq!(timing(fixture, "item.insert").slow, 0, "it was before");
    }
}
