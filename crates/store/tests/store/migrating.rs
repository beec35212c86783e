//! The schema goes up and down, and is what `schema.sql` says.
use std::fs;

use runstone_db::{Database, Dialect, Migration, Migrator, Options, Statement};
use runstone_store::{OpenError, OpenOptions, SqlStore};
use runstone_testkit::on_every_database;

use crate::harness::TestDb;

/// Everything there is, as the database itself describes it.
async fn dump(db: &Database) -> Vec<String> {
    let text = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT type || ' ' || name || ': ' || COALESCE(sql, '') AS line FROM sqlite_schema
             WHERE tbl_name <> 'runstone_migrations' ORDER BY 1"
        }
        Dialect::Postgres => {
            "SELECT line FROM (
               SELECT c.table_name || '.' || c.column_name || ' ' || c.data_type || ' ' ||
                 c.is_nullable || ' ' || COALESCE(c.column_default, '') || ' ' || CAST(a.attstorage AS text)
                 || CAST(a.attcompression AS text) AS line
               FROM information_schema.columns c
               JOIN pg_attribute a ON a.attname = c.column_name AND a.attrelid =
                 CAST(quote_ident(c.table_schema) || '.' || quote_ident(c.table_name) AS regclass)
               WHERE c.table_schema = current_schema()
               UNION ALL
               SELECT conname || ' ' || CAST(CAST(conrelid AS regclass) AS text) || ' ' ||
                 pg_get_constraintdef(oid)
               FROM pg_constraint WHERE connamespace = CAST(current_schema() AS regnamespace)
               UNION ALL
               SELECT replace(indexdef, current_schema(), '') FROM pg_indexes
               WHERE schemaname = current_schema()) AS all_of_it
             WHERE line NOT LIKE '%runstone_migrations%' ORDER BY 1"
        }
        Dialect::Mysql => {
            "SELECT line FROM (
               SELECT CONCAT(table_name, '.', column_name, ' ', column_type, ' ', is_nullable, ' ',
                 COALESCE(collation_name, '')) AS line
               FROM information_schema.columns WHERE table_schema = DATABASE()
               UNION ALL
               SELECT CONCAT(table_name, ' ', index_name, ' ', seq_in_index, ' ', column_name)
               FROM information_schema.statistics WHERE table_schema = DATABASE()
               UNION ALL
               SELECT CONCAT(table_name, ' ', constraint_name, ' ', referenced_table_name, ' ',
                 delete_rule)
               FROM information_schema.referential_constraints
               WHERE constraint_schema = DATABASE()
               UNION ALL
               SELECT CONCAT(constraint_name, ' ', check_clause)
               FROM information_schema.check_constraints
               WHERE constraint_schema = DATABASE()) AS all_of_it
             WHERE line NOT LIKE '%runstone_migrations%' ORDER BY 1"
        }
        Dialect::Mssql => {
            "SELECT CONCAT(TABLE_NAME, '.', COLUMN_NAME, ' ', DATA_TYPE, ' ', IS_NULLABLE) AS line
             FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = SCHEMA_NAME()
             AND TABLE_NAME <> 'runstone_migrations' ORDER BY 1"
        }
    };
    let statement = Statement::render("dump", text, db.dialect()).unwrap();
    let rows = db.fetch_all(&statement, &[]).await.unwrap();
    let lines = rows.iter().map(|row| row.get::<String>("line").unwrap());
    lines
        .map(|line| {
            let bare = line
                .lines()
                .map(|line| line.split("--").next().unwrap_or_default());
            bare.flat_map(str::split_whitespace)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

async fn bare(db: &TestDb) -> Database {
    Database::connect(&db.url, Options::default())
        .await
        .unwrap()
}

on_every_database! {
    async fn up_down_and_up_again_gives_the_same(db: &TestDb) {
        let store = db.store().await;
        let up = dump(store.database()).await;
        assert!(up.len() > 20, "{up:#?}");
        assert_eq!(store.schema_version().await.unwrap(), 1);
        assert_eq!(store.migrate_down(0).await.unwrap(), [1]);
        assert_eq!(dump(store.database()).await, Vec::<String>::new());
        assert_eq!(store.migrate_up(None).await.unwrap(), [1]);
        assert_eq!(dump(store.database()).await, up);
        let status = store.migrate_status().await.unwrap();
        assert_eq!(status.len(), 1);
        assert!(status[0].applied_at.is_some_and(|at| at > 1_700_000_000_000_000));
    }

    async fn all_migrations_together_are_the_schema_file(db: &TestDb) {
        let store = db.store().await;
        let migrated = dump(store.database()).await;
        store.migrate_down(0).await.unwrap();
        let file = format!(
            "{}/migrations/{}/schema.sql",
            env!("CARGO_MANIFEST_DIR"),
            db.dialect.name()
        );
        let text: &'static str = fs::read_to_string(file).unwrap().leak();
        let whole = [Migration { version: 1, name: "schema", up: text, down: "" }];
        Migrator::new(store.database(), &whole, "test", 1).up(None).await.unwrap();
        assert_eq!(dump(store.database()).await, migrated);
    }

    async fn an_older_and_a_newer_schema_are_told_apart(db: &TestDb) {
        let plain = OpenOptions::default();
        let raw = bare(db).await;
        let older = SqlStore::open(&db.url, plain.clone()).await.unwrap_err();
        assert_eq!(older, OpenError::NotMigrated { found: 0, known: 1 });
        drop(raw);
        let store = db.store().await;
        SqlStore::open(&db.url, plain.clone()).await.unwrap();
        let insert = "INSERT INTO runstone_migrations (version, name, checksum, applied_at, app_version)
                      VALUES (2, 'future', 'x', 1, '9')";
        crate::harness::sql(&store, insert, &[]).await;
        let newer = SqlStore::open(&db.url, plain).await.unwrap_err();
        assert_eq!(newer, OpenError::NewerSchema { found: 2, known: 1 });
        let migrate = OpenOptions { migrate: true, ..OpenOptions::default() };
        let newer = SqlStore::open(&db.url, migrate).await.unwrap_err();
        assert_eq!(newer, OpenError::NewerSchema { found: 2, known: 1 });
    }

    async fn a_schema_changed_by_hand_is_refused_with_the_difference(db: &TestDb) {
        let store = db.store().await;
        for (change, undo, difference) in [
            (
                "ALTER TABLE runs ADD COLUMN mine TEXT",
                "ALTER TABLE runs DROP COLUMN mine",
                "the column `runs.mine` is not ours",
            ),
            (
                "ALTER TABLE blobs RENAME COLUMN size TO bytes",
                "ALTER TABLE blobs RENAME COLUMN bytes TO size",
                "the column `blobs.size` is missing",
            ),
            ("DROP TABLE snapshots", "", "the table `snapshots` is missing"),
        ] {
            crate::harness::sql(&store, change, &[]).await;
            let error = SqlStore::open(&db.url, OpenOptions::default()).await.unwrap_err();
            assert_eq!(error, OpenError::Drifted { difference: difference.to_owned() });
            if !undo.is_empty() {
                crate::harness::sql(&store, undo, &[]).await;
            }
        }
    }
}
