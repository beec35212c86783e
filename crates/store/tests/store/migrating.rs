//! The schema goes up and down, is what `schema.sql` says, and a change by hand is told in full.
use std::fs;

use runstone_db::{Database, Dialect, Migration, Migrator, Options, Schema};
use runstone_model::run::Status;
use runstone_store::{
    Blob, Commit, Migrations, OpenError, OpenOptions, RunFilter, SqlStore, Store as _,
};
use runstone_testkit::on_every_database;

use crate::harness::{TestDb, create, flow, row, run_id, server_id, sql, update};

/// A file of the dialect's migrations.
pub(crate) fn file(dialect: Dialect, name: &str) -> &'static str {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let path = format!("{folder}/{dialect}/{name}");
    fs::read_to_string(path).unwrap().leak()
}

/// The migrations there are, to be changed.
pub(crate) fn ours(dialect: Dialect) -> Vec<Migration> {
    Migrations::known(dialect).to_vec()
}

/// The newest version.
pub(crate) fn newest(dialect: Dialect) -> u32 {
    ours(dialect).len().try_into().unwrap()
}

/// The versions from one to another, both included.
pub(crate) fn versions(from: u32, to: u32) -> Vec<u32> {
    (from..=to).collect()
}

/// The same downwards.
pub(crate) fn downwards(from: u32, to: u32) -> Vec<u32> {
    (to..=from).rev().collect()
}

pub(crate) async fn bare(db: &TestDb) -> Database {
    Database::connect(&db.url, Options::default())
        .await
        .unwrap()
}

/// The tables without those of the migrator itself.
pub(crate) async fn tables(db: &Database) -> Schema {
    let live = Schema::read(db).await.unwrap();
    live.without("runstone_migrations")
        .without("runstone_migrating")
}

/// One of four texts.
fn by(dialect: Dialect, [sqlite, postgres, mysql, mssql]: [&'static str; 4]) -> &'static str {
    match dialect {
        Dialect::Sqlite => sqlite,
        Dialect::Postgres => postgres,
        Dialect::Mysql => mysql,
        Dialect::Mssql => mssql,
    }
}

/// What a person changes by hand, how it is undone, and what is told.
fn changes(dialect: Dialect) -> Vec<(&'static str, &'static str, &'static str)> {
    let rename = "ALTER TABLE journal RENAME COLUMN duration_us TO took_us";
    let back = "ALTER TABLE journal RENAME COLUMN took_us TO duration_us";
    let mut changes = vec![
        (
            by(dialect, {
                let [sqlite, mssql] = [
                    "ALTER TABLE runs ADD COLUMN mine INTEGER",
                    "ALTER TABLE runs ADD mine BIGINT",
                ];
                [sqlite, sqlite, sqlite, mssql]
            }),
            "ALTER TABLE runs DROP COLUMN mine",
            "the column `runs.mine` is not ours",
        ),
        (
            by(dialect, {
                let mysql = "DROP INDEX runs_project ON runs";
                [
                    "DROP INDEX runs_project",
                    "DROP INDEX runs_project",
                    mysql,
                    mysql,
                ]
            }),
            "CREATE INDEX runs_project ON runs (project_id, id)",
            "the index `runs_project` of `runs` is missing",
        ),
        (
            "CREATE UNIQUE INDEX mine ON runs (created_at, id)",
            by(dialect, {
                let mysql = "DROP INDEX mine ON runs";
                ["DROP INDEX mine", "DROP INDEX mine", mysql, mysql]
            }),
            "the unique key `runs` (created_at, id) is not ours",
        ),
    ];
    if dialect == Dialect::Mysql {
        // It asks for an index on each foreign key: dropping that one is refused.
        changes.remove(1);
    }
    if dialect != Dialect::Mssql {
        changes.push((
            rename,
            back,
            "the column `journal.duration_us` is missing; the column `journal.took_us` is not ours",
        ));
    }
    if matches!(dialect, Dialect::Postgres | Dialect::Mysql) {
        changes.push((
            "ALTER TABLE runs DROP CONSTRAINT runs_ended_without_owner",
            "ALTER TABLE runs ADD CONSTRAINT runs_ended_without_owner \
             CHECK (finished_at IS NULL OR owner_id IS NULL)",
            "the check of `runs` on {finished_at null owner_id} is missing",
        ));
    }
    if dialect == Dialect::Postgres {
        changes.extend(of_columns_and_keys());
    }
    changes.push((
        "DROP TABLE snapshots",
        "",
        "the table `snapshots` is missing",
    ));
    changes
}

/// The same of types, nullability and foreign keys, where a statement can change those.
fn of_columns_and_keys() -> [(&'static str, &'static str, &'static str); 3] {
    [
        (
            "ALTER TABLE runs ALTER COLUMN wake_at TYPE TEXT USING NULL",
            "ALTER TABLE runs ALTER COLUMN wake_at TYPE BIGINT USING NULL",
            "the column `runs.wake_at` is text, wanted bigint",
        ),
        (
            "ALTER TABLE runs ALTER COLUMN input DROP NOT NULL",
            "ALTER TABLE runs ALTER COLUMN input SET NOT NULL",
            "the column `runs.input` is text, wanted text not null",
        ),
        (
            "ALTER TABLE snapshots DROP CONSTRAINT snapshots_run_id_fkey",
            "ALTER TABLE snapshots ADD FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE",
            "the foreign key `snapshots` (run_id) to `runs` (id) on delete cascade is missing",
        ),
    ]
}

/// A test-only migration after the newest: a table, a column with a default, an index.
fn one_more(dialect: Dialect) -> Migration {
    let up = by(
        dialect,
        [
            "CREATE TABLE notes (id INTEGER NOT NULL PRIMARY KEY, run_id BLOB NOT NULL REFERENCES runs (id) ON DELETE CASCADE) STRICT;
             CREATE INDEX notes_run ON notes (run_id);
             ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 5",
            "CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, run_id UUID NOT NULL REFERENCES runs (id) ON DELETE CASCADE);
             CREATE INDEX notes_run ON notes (run_id);
             ALTER TABLE runs ADD COLUMN priority BIGINT NOT NULL DEFAULT 5",
            "CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, run_id BINARY(16) NOT NULL, KEY notes_run (run_id),
               CONSTRAINT notes_of_run FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE);
             ALTER TABLE runs ADD COLUMN priority BIGINT NOT NULL DEFAULT 5",
            "CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, run_id BINARY(16) NOT NULL REFERENCES runs (id) ON DELETE CASCADE);
             CREATE INDEX notes_run ON notes (run_id);
             ALTER TABLE runs ADD priority BIGINT NOT NULL CONSTRAINT runs_priority DEFAULT 5",
        ],
    );
    let down = match dialect {
        Dialect::Mssql => {
            "DROP TABLE notes; ALTER TABLE runs DROP CONSTRAINT IF EXISTS runs_priority;
             ALTER TABLE runs DROP COLUMN priority"
        }
        _ => "DROP TABLE notes; ALTER TABLE runs DROP COLUMN priority",
    };
    Migration {
        version: newest(dialect) + 1,
        name: "9999_test",
        up,
        down,
    }
}

/// Two runs, one of them ended, with a journal and a large value.
async fn filled(store: &SqlStore) {
    let flow = flow(store, "f").await;
    let hash = "0f".repeat(32);
    let mut first = row(1);
    first.body = format!("{{\"$blob\":\"{hash}\"}}");
    let commit = Commit {
        rows: vec![first, row(2)],
        blobs: vec![Blob {
            hash,
            bytes: b"[\"large\"]".to_vec(),
        }],
        ..create(run_id(), flow, Some(server_id()))
    };
    store.commit(commit).await.unwrap();
    let ended = Commit {
        rows: vec![row(1), row(2), row(3)],
        update: Some(update(Status::Completed)),
        ..create(run_id(), flow, Some(server_id()))
    };
    store.commit(ended).await.unwrap();
}

/// All runs with their journals, as the store tells them.
async fn everything(store: &SqlStore) -> String {
    let filter = RunFilter {
        limit: 100,
        ..RunFilter::default()
    };
    let mut all = String::new();
    for run in store.runs(filter).await.unwrap() {
        let journal = store.journal(run.id, 0, 100).await.unwrap();
        all.push_str(&format!("{run:?}\n{journal:?}\n"));
    }
    assert!(all.contains("large"));
    all
}

on_every_database! {
    async fn up_down_and_up_again_gives_the_same(db: &TestDb) {
        let store = db.store().await;
        let up = tables(store.database()).await;
        let newest = newest(db.dialect);
        assert!(up.tables().count() >= 8 && newest >= 2);
        assert_eq!(store.schema_version().await.unwrap(), newest);
        assert_eq!(store.migrate_down(0).await.unwrap(), downwards(newest, 1));
        assert_eq!(tables(store.database()).await, Schema::default());
        assert_eq!(store.migrate_up(Some(1)).await.unwrap(), [1]);
        assert_ne!(tables(store.database()).await, up);
        assert_eq!(store.migrate_up(None).await.unwrap(), versions(2, newest));
        assert_eq!(tables(store.database()).await, up);
        let status = store.migrate_status().await.unwrap();
        assert_eq!(status.len(), newest as usize);
        assert!(status[0].applied_at.is_some_and(|at| at > 1_700_000_000_000_000));
    }

    async fn all_migrations_together_are_the_schema_file(db: &TestDb) {
        let store = db.store().await;
        let migrated = tables(store.database()).await;
        let text = file(db.dialect, "schema.sql");
        let read = Schema::parse(text, db.dialect).unwrap();
        assert_eq!(read.differences(&migrated), []);
        assert_eq!(migrated.differences(&read), []);
        assert_eq!(read.unindexed_references(&migrated), [""; 0]);
        store.migrate_down(0).await.unwrap();
        let whole = [Migration { version: 1, name: "schema", up: text, down: "" }];
        Migrator::new(store.database(), &whole, "test", 1).up(None).await.unwrap();
        assert_eq!(tables(store.database()).await, migrated);
    }

    async fn what_the_tables_hold_survives_up_and_down_and_up(db: &TestDb) {
        let store = db.store().await;
        filled(&store).await;
        let before = everything(&store).await;
        let mut all = ours(db.dialect);
        all.push(one_more(db.dialect));
        let migrator = Migrator::new(store.database(), &all, "test", 1);
        let newest = newest(db.dialect);
        for _ in 0..2 {
            assert_eq!(migrator.up(None).await.unwrap(), [newest + 1]);
            assert!(tables(store.database()).await.tables().any(|name| name == "notes"));
            assert_eq!(everything(&store).await, before);
            assert_eq!(sql(&store, "UPDATE runs SET priority = 6 WHERE priority = 5", &[]).await, 2);
            assert_eq!(migrator.down(1).await.unwrap(), downwards(newest + 1, 2));
            assert_eq!(everything(&store).await, before);
            assert_eq!(migrator.up(Some(newest)).await.unwrap(), versions(2, newest));
            assert_eq!(everything(&store).await, before);
        }
        drop(store);
        SqlStore::open(&db.url, OpenOptions::default()).await.unwrap();
    }

    async fn an_older_and_a_newer_schema_are_told_apart(db: &TestDb) {
        let plain = OpenOptions::default();
        let known = newest(db.dialect);
        let raw = bare(db).await;
        let older = SqlStore::open(&db.url, plain.clone()).await.unwrap_err();
        assert_eq!(older, OpenError::NotMigrated { found: 0, known });
        Migrator::new(&raw, &ours(db.dialect), "test", 1).up(Some(1)).await.unwrap();
        let older = SqlStore::open(&db.url, plain.clone()).await.unwrap_err();
        assert_eq!(older, OpenError::NotMigrated { found: 1, known });
        drop(raw);
        let store = db.store().await;
        SqlStore::open(&db.url, plain.clone()).await.unwrap();
        let insert = "INSERT INTO runstone_migrations (version, name, checksum, applied_at, app_version)
                      VALUES (99, 'future', 'x', 1, '9')";
        sql(&store, insert, &[]).await;
        let migrate = OpenOptions { migrate: true, ..OpenOptions::default() };
        for options in [plain.clone(), migrate] {
            let newer = SqlStore::open(&db.url, options).await.unwrap_err();
            assert_eq!(newer, OpenError::NewerSchema { found: 99, known });
        }
        let schema = Migrations::open(&db.url, plain).await.unwrap();
        for refused in [
            schema.up(None).await.map(drop),
            schema.down(0).await.map(drop),
            schema.plan_down(0).await.map(drop),
            schema.status().await.map(drop),
        ] {
            assert_eq!(refused, Err(OpenError::NewerSchema { found: 99, known }));
        }
    }

    async fn a_schema_changed_by_hand_is_refused_with_the_difference(db: &TestDb) {
        let store = db.store().await;
        for (change, undo, told) in changes(db.dialect) {
            sql(&store, change, &[]).await;
            let error = SqlStore::open(&db.url, OpenOptions::default()).await;
            let Err(OpenError::Drifted { difference }) = error else {
                panic!("{change}: {error:?}");
            };
            assert!(difference.contains(told), "{change}: {difference}");
            if !undo.is_empty() {
                sql(&store, undo, &[]).await;
                SqlStore::open(&db.url, OpenOptions::default()).await.unwrap();
            }
        }
    }

    async fn an_index_of_ones_own_is_tolerated_and_noted(db: &TestDb) {
        let store = db.store().await;
        sql(&store, "CREATE INDEX mine ON runs (created_at)", &[]).await;
        SqlStore::open(&db.url, OpenOptions::default()).await.unwrap();
        let schema = Migrations::open(&db.url, OpenOptions::default()).await.unwrap();
        let status = schema.status().await.unwrap();
        assert!(status.is_right());
        assert_eq!(status.differences.len(), 1);
        let message = &status.differences[0].message;
        assert_eq!(message, "the index `mine` of `runs` on (created_at) is not ours");
    }

    async fn a_plan_changes_nothing_and_is_what_is_then_done(db: &TestDb) {
        let schema = Migrations::open(&db.url, OpenOptions { migrate: true, ..OpenOptions::default() });
        let schema = schema.await.unwrap();
        let raw = bare(db).await;
        let plan = schema.plan_up(None).await.unwrap();
        let versions: Vec<u32> = plan.iter().map(|one| one.version).collect();
        assert_eq!(versions[..2], [1, 2]);
        assert!(plan[0].statements.len() >= 9, "{plan:#?}");
        assert!(plan[0].statements[0].sql.starts_with("CREATE TABLE projects"));
        assert_eq!(tables(&raw).await, Schema::default());
        assert_eq!(schema.plan_up(Some(1)).await.unwrap(), plan[..1]);
        assert_eq!(schema.up(Some(1)).await.unwrap(), [1]);
        assert_eq!(schema.plan_up(None).await.unwrap(), plan[1..]);
        let down = schema.plan_down(0).await.unwrap();
        assert_eq!(down.len(), 1);
        assert_eq!(schema.plan_down(1).await.unwrap(), []);
        assert!(schema.plan_up(Some(99)).await.is_err(), "there is no schema 99");
    }
}
