//! Cutting files and holding the database's migrations against ours.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::{Migration, ledger::Applied, split, verify};
use crate::Dialect;

const KNOWN: [Migration; 2] = [
    Migration {
        version: 1,
        name: "0001_a",
        up: "CREATE TABLE a (x INT)",
        down: "DROP TABLE a",
    },
    Migration {
        version: 2,
        name: "0002_b",
        up: "CREATE TABLE b (x INT)",
        down: "DROP TABLE b",
    },
];

fn applied(migration: &Migration) -> Applied {
    Applied {
        version: migration.version,
        name: migration.name.to_owned(),
        checksum: migration.checksum(),
        applied_at: 0,
    }
}

fn pieces(text: &str, dialect: Dialect) -> Vec<(usize, String)> {
    split::statements(text, dialect)
        .expect("the text is whole")
        .into_iter()
        .map(|piece| (piece.line, piece.sql.to_owned()))
        .collect()
}

#[test]
fn semicolons_in_strings_comments_and_dollar_quotes_do_not_cut() {
    let text = "-- first; not a cut\nINSERT INTO a VALUES (';', \"x;y\" /* ; */);\n\n;\nDO $x$ a; b; $x$;\nSELECT 1";
    assert_eq!(
        pieces(text, Dialect::Postgres),
        [
            (2, "INSERT INTO a VALUES (';', \"x;y\" /* ; */)".to_owned()),
            (5, "DO $x$ a; b; $x$".to_owned()),
            (6, "SELECT 1".to_owned()),
        ]
    );
}

#[test]
fn a_sqlite_trigger_is_one_statement() {
    let text = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN\n UPDATE b SET x = CASE 1 WHEN 1 THEN 2 END; DELETE FROM c;\nEND; SELECT 2;";
    let found = pieces(text, Dialect::Sqlite);
    assert_eq!(found.len(), 2);
    assert!(found[0].1.ends_with("END"), "{found:?}");
    assert_eq!(found[1], (3, "SELECT 2".to_owned()));
}

#[test]
fn an_open_string_is_refused_with_its_line() {
    let broken = split::statements("SELECT 1;\nSELECT 'x", Dialect::Sqlite);
    assert_eq!(broken.map_err(|broken| broken.line), Err(2));
}

#[test]
fn line_ends_do_not_change_a_checksum() {
    let (unix, windows) = ("CREATE TABLE a (\n x INT)", "CREATE TABLE a (\r\n x INT)");
    let of = |up| Migration { up, ..KNOWN[0] }.checksum();
    assert_eq!(of(unix), of(windows));
    assert_ne!(of(unix), of("CREATE TABLE a (\n y INT)"));
}

#[test]
fn a_known_history_gives_its_version() {
    assert_eq!(verify(&KNOWN, &[]), Ok(0));
    assert_eq!(verify(&KNOWN, &[applied(&KNOWN[0])]), Ok(1));
    assert_eq!(
        verify(&KNOWN, &[applied(&KNOWN[0]), applied(&KNOWN[1])]),
        Ok(2)
    );
}

#[test]
fn newer_changed_and_missing_migrations_are_refused() {
    let newer = verify(&KNOWN[..1], &[applied(&KNOWN[0]), applied(&KNOWN[1])]);
    insta::assert_snapshot!(newer.unwrap_err(), @"the database was written by a newer Runstone: schema 2, this binary knows up to 1; use the newer binary");
    let mut changed = applied(&KNOWN[0]);
    changed.checksum = "0".repeat(64);
    insta::assert_snapshot!(verify(&KNOWN, &[changed]).unwrap_err(), @"migration 0001_a was applied as 0001_a with another content than this binary has; a migration must never be edited, use the binary that matches the database");
    insta::assert_snapshot!(verify(&KNOWN, &[applied(&KNOWN[1])]).unwrap_err(), @"the database has migration 2 but not 1; restore a backup or mend the table runstone_migrations");
    insta::assert_snapshot!(verify(&KNOWN[1..], &[]).unwrap_err(), @"this binary's migrations have a gap or are out of order at 0002_b; it was built wrongly");
}
