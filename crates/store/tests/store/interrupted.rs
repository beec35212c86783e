//! A migration that breaks off at any statement, in either direction: nothing of it is there where
//! the database can undo DDL, and where it cannot the next one goes on behind it.
use runstone_db::{Dialect, Migration, Migrator, Schema, Way};
use runstone_store::{Migrations, OpenError, OpenOptions, SqlStore};
use runstone_testkit::{on_databases, on_every_database};

use crate::{
    harness::{TestDb, sql},
    migrating::{bare, newest, ours, tables, versions},
};

/// Breaks whatever comes after it.
const BROKEN: &str = "SELECT * FROM there_is_no_such_table";

/// The statements of a migration, each without its semicolon, as a whole move would execute them.
async fn statements(db: &TestDb, version: u32, way: Way) -> Vec<&'static str> {
    let bare = bare(db).await;
    let all = ours(db.dialect);
    let migrator = Migrator::new(&bare, &all, "test", 1);
    let plan = match way {
        Way::Up => migrator.plan_up(None).await.unwrap(),
        Way::Down => migrator.plan_down(0).await.unwrap(),
    };
    bare.close().await;
    let planned = plan.iter().find(|one| one.version == version);
    let texts = planned.unwrap().statements.iter();
    texts.map(|statement| statement.sql).collect()
}

/// The migrations, one of which breaks after its first `done` statements.
fn breaking(dialect: Dialect, version: u32, way: Way, done: &[&str]) -> Vec<Migration> {
    let mut all = ours(dialect);
    let mut text = done.join(";\n");
    text.push_str(";\n");
    text.push_str(BROKEN);
    let text: &'static str = text.leak();
    match way {
        Way::Up => all[version as usize - 1].up = text,
        Way::Down => all[version as usize - 1].down = text,
    }
    all
}

/// Whether a crash can leave the last of these statements done and not noted: where DDL commits by
/// itself. What changes rows is noted in the same transaction.
fn may_be_unnoted(db: &TestDb, done: &[&str]) -> bool {
    let changes = ["INSERT", "UPDATE", "DELETE"];
    let ddl = |last: &&str| !changes.iter().any(|change| last.starts_with(change));
    db.dialect == Dialect::Mysql && done.last().is_some_and(ddl)
}

on_every_database! {
    async fn slow_moves_that_break_at_any_statement_are_gone_on_with(db: &TestDb) {
        let store = db.store().await;
        let whole = tables(store.database()).await;
        store.migrate_down(0).await.unwrap();
        // Once with every statement noted, once with the last one done and not noted.
        for unnoted in [false, true] {
            if unnoted && db.dialect != Dialect::Mysql {
                continue;
            }
            for version in 1..=newest(db.dialect) {
                let texts = statements(db, version, Way::Up).await;
                breaks_everywhere(db, &store, version, Way::Up, &texts, unnoted).await;
                assert_eq!(store.migrate_up(Some(version)).await.unwrap(), [version]);
            }
            assert_eq!(tables(store.database()).await, whole);
            assert_eq!(sql(&store, "UPDATE projects SET created_at = 0", &[]).await, 1);
            SqlStore::open(&db.url, OpenOptions::default()).await.unwrap();
            for version in (1..=newest(db.dialect)).rev() {
                let texts = statements(db, version, Way::Down).await;
                breaks_everywhere(db, &store, version, Way::Down, &texts, unnoted).await;
                assert_eq!(store.migrate_down(version - 1).await.unwrap(), [version]);
            }
            assert_eq!(tables(store.database()).await, Schema::default());
        }
    }
}

/// Goes one migration's way and breaks after none of its statements, after the first, and so on;
/// each time from where the time before has left it. With `unnoted` the last statement before each
/// break is done and not noted, as after a crash between the two.
async fn breaks_everywhere(
    db: &TestDb,
    store: &SqlStore,
    version: u32,
    way: Way,
    texts: &[&str],
    unnoted: bool,
) {
    let before = tables(store.database()).await;
    for done in 0..=texts.len() {
        // One transaction is undone alike wherever it breaks: three places show it.
        let shown = [0, texts.len() / 2, texts.len()].contains(&done);
        if db.dialect != Dialect::Mysql && !shown {
            continue;
        }
        let breaking = breaking(db.dialect, version, way, &texts[..done]);
        let broken = Migrator::new(store.database(), &breaking, "test", 1);
        let error = match way {
            Way::Up => broken.up(Some(version)).await.unwrap_err(),
            Way::Down => broken.down(version - 1).await.unwrap_err(),
        };
        let place = format!("({}), line ", way.name());
        assert!(error.message.contains(&place), "{done}: {error}");
        let half = broken.interrupted().await.unwrap();
        if db.dialect != Dialect::Mysql {
            assert_eq!(half, None);
            assert_eq!(tables(store.database()).await, before);
            continue;
        }
        let half = half.unwrap();
        assert_eq!((half.version, half.way, half.done), (version, way, done));
        if unnoted && may_be_unnoted(db, &texts[..done]) {
            take_back(store, version, way, &texts[..done - 1]).await;
        }
        if done == 1 {
            refuses_half(db).await;
        }
    }
}

/// Has the ledger say that only `texts` are done, as after a crash between a statement and its
/// note.
async fn take_back(store: &SqlStore, version: u32, way: Way, texts: &[&str]) {
    let mut digest = blake3::Hasher::new();
    for text in texts {
        digest.update(text.as_bytes());
        digest.update(b";\n");
    }
    let digest = digest.finalize().to_hex().to_string();
    let update = "UPDATE runstone_migrating SET done = :done, digest = :digest
                  WHERE version = :version AND way = :way";
    let params = [
        ("done", i64::try_from(texts.len()).unwrap().into()),
        ("digest", digest.into()),
        ("version", version.into()),
        ("way", way.name().into()),
    ];
    assert_eq!(sql(store, update, &params).await, 1);
}

/// No store is opened on a schema that is half-way, and the status says so.
async fn refuses_half(db: &TestDb) {
    let refused = SqlStore::open(&db.url, OpenOptions::default()).await;
    assert!(
        matches!(refused, Err(OpenError::Interrupted { done: 0 | 1, .. })),
        "{refused:?}"
    );
    let schema = Migrations::open(&db.url, OpenOptions::default())
        .await
        .unwrap();
    let status = schema.status().await.unwrap();
    assert!(status.interrupted.is_some() && !status.is_right());
    schema.close().await;
}

mod by_its_connection {
    use super::*;

    on_databases! {
        [mariadb Mariadb, mysql Mysql]
        async fn a_connection_that_is_lost_is_gone_on_behind(db: &TestDb) {
            let store = db.store().await;
            let whole = tables(store.database()).await;
            store.migrate_down(0).await.unwrap();
            let texts = statements(db, 1, Way::Up).await;
            let mut killed = breaking(db.dialect, 1, Way::Up, &texts[..4]);
            killed[0].up = killed[0].up.replace(BROKEN, "KILL CONNECTION_ID()").leak();
            let error = Migrator::new(store.database(), &killed, "test", 1).up(None).await;
            error.unwrap_err();
            let up = store.migrate_up(None).await.unwrap();
            assert_eq!(up, versions(1, newest(db.dialect)));
            assert_eq!(tables(store.database()).await, whole);
        }

        async fn other_statements_before_the_break_are_refused(db: &TestDb) {
            let store = db.store().await;
            store.migrate_down(0).await.unwrap();
            let mut texts = statements(db, 1, Way::Up).await;
            texts.insert(1, "CREATE TABLE another (a INT)");
            let other = breaking(db.dialect, 1, Way::Up, &texts[..3]);
            let error = Migrator::new(store.database(), &other, "test", 1).up(None).await;
            assert!(error.unwrap_err().message.contains("what came before stays"));
            for error in [
                store.migrate_up(None).await.unwrap_err(),
                store.migrate_down(0).await.unwrap_err(),
            ] {
                assert_eq!(
                    error.message,
                    "migration 0001_trunk (up) was interrupted after statement 3, and up to \
                     there this binary has other statements; use the binary that began it, or \
                     restore a backup"
                );
            }
        }

        async fn an_interrupted_way_is_finished_before_the_other_is_gone(db: &TestDb) {
            let store = db.store().await;
            store.migrate_down(2).await.unwrap();
            let texts = statements(db, 2, Way::Down).await;
            let broken = breaking(db.dialect, 2, Way::Down, &texts);
            let error = Migrator::new(store.database(), &broken, "test", 1).down(1).await;
            error.unwrap_err();
            let mut done = vec![2];
            done.extend(versions(2, newest(db.dialect)));
            assert_eq!(store.migrate_up(None).await.unwrap(), done, "down and up again");
            SqlStore::open(&db.url, OpenOptions::default()).await.unwrap();
        }
    }
}

mod at_once {
    use super::*;

    on_every_database! {
        async fn of_many_migrators_one_does_it_and_the_others_find_it_done(db: &TestDb) {
            let tasks: Vec<_> = (0..6)
                .map(|_| {
                    let url = db.url.clone();
                    tokio::spawn(async move {
                        let options = OpenOptions { migrate: true, ..OpenOptions::default() };
                        let schema = Migrations::open(&url, options).await.unwrap();
                        let done = schema.up(None).await.unwrap();
                        schema.close().await;
                        done
                    })
                })
                .collect();
            let mut done = Vec::new();
            for task in tasks {
                done.push(task.await.unwrap());
            }
            done.sort();
            assert_eq!(done.pop(), Some(versions(1, newest(db.dialect))));
            assert_eq!(done, vec![Vec::<u32>::new(); 5]);
            SqlStore::open(&db.url, OpenOptions::default()).await.unwrap();
        }
    }
}
