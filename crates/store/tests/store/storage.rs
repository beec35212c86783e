//! What the database takes, and its upkeep while it is used.
use std::time::Duration;

use runstone_db::{Class, Dialect};
use runstone_store::{Commit, Store as _};
use runstone_testkit::{on_every_database, servers::stands_in};

use crate::harness::{TestDb, create, flow, rows, run_id, sql};

const LONG: Duration = Duration::from_secs(60);

on_every_database! {
    async fn every_table_has_a_size_and_rows_as_far_as_they_are_known(db: &TestDb) {
        let store = db.store().await;
        let f = flow(&store, "f").await;
        for _ in 0..20 {
            let run = run_id();
            let rows = rows(run, 1, 1..=50).rows;
            store.commit(Commit { rows, ..create(run, f, None) }).await.unwrap();
        }
        // A server's counters follow some time later, unless it is made to look.
        store.maintain(LONG).await.unwrap();
        let sizes = store.table_sizes().await.unwrap();
        let names: Vec<&str> = sizes.iter().map(|size| size.name.as_str()).collect();
        assert!(names.is_sorted() && names.contains(&"journal") && names.contains(&"runs"), "{names:?}");
        let of = |name: &str| sizes.iter().find(|size| size.name == name).unwrap();
        assert!(sizes.iter().all(|size| size.bytes.is_some()), "{sizes:?}");
        if stands_in(store.database(), "its catalogue knows no sizes").await {
            return;
        }
        assert!(of("journal").bytes > of("projects").bytes);
        let rows = of("journal").rows.unwrap();
        assert!((500..=2000).contains(&rows), "about 1000, not {rows}");
        let total: u64 = sizes.iter().filter_map(|size| size.bytes).sum();
        assert!(total <= store.storage_bytes().await.unwrap() * 2, "{total}");
    }

    async fn the_upkeep_is_done_while_others_write(db: &TestDb) {
        let store = db.store().await;
        let f = flow(&store, "f").await;
        let write = async {
            for _ in 0..20 {
                store.commit(create(run_id(), f, None)).await.unwrap();
            }
        };
        let (done, ()) = tokio::join!(store.maintain(LONG), write);
        let done = done.unwrap();
        assert!(done.len() >= 2);
        let lacks = stands_in(store.database(), "it has no UPDATE STATISTICS").await;
        for step in &done {
            assert!(step.done == Ok(()) || lacks, "{}: {:?}", step.what, step.done);
        }
        if db.dialect != Dialect::Sqlite {
            assert!(done.iter().any(|step| step.what.contains("runs")));
        }
        assert!(store.schema_status().await.unwrap().is_right(), "statistics are no drift");
        let none = store.maintain(Duration::ZERO).await.unwrap();
        assert_eq!(none.len(), done.len());
        let late = |step: &runstone_db::Maintained| step.done.clone().unwrap_err().class;
        assert!(none.iter().all(|step| late(step) == Class::Timeout));
    }

    async fn where_the_schema_stands_is_told_with_what_was_changed_by_hand(db: &TestDb) {
        let store = db.store().await;
        let status = store.schema_status().await.unwrap();
        assert!(status.is_right(), "{status:?}");
        assert_eq!(status.version, status.known);
        assert!(status.migrations.iter().all(|migration| migration.applied_at.is_some()));
        let drop = match db.dialect {
            Dialect::Mysql | Dialect::Mssql => "DROP INDEX audit_project ON audit",
            Dialect::Sqlite | Dialect::Postgres => "DROP INDEX audit_project",
        };
        sql(&store, drop, &[]).await;
        let status = store.schema_status().await.unwrap();
        assert!(!status.is_right());
        assert!(status.differences[0].message.contains("audit"), "{status:?}");
    }
}
