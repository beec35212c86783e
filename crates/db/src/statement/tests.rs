//! What each marker becomes in each dialect, and what is refused.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::{Leg, Statement};
use crate::Dialect;
use proptest::prelude::*;
use std::fmt::Write as _;

/// Both renderings, one after the other.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for dialect in Dialect::ALL {
        match Statement::render("test.one", text, dialect) {
            Ok(statement) => {
                writeln!(
                    shown,
                    "{dialect}: {} {:?}",
                    statement.sql(),
                    statement.params()
                )
                .unwrap();
                if statement.sql() != statement.sql_one_row() {
                    writeln!(shown, "{dialect}, one row: {}", statement.sql_one_row()).unwrap();
                }
            }
            Err(error) => writeln!(shown, "{error}").unwrap(),
        }
    }
    shown
}

fn of(text: &str) -> Statement {
    Statement::render("test.one", text, Dialect::Postgres).unwrap()
}

#[test]
fn parameters_are_numbered_by_first_appearance() {
    insta::assert_snapshot!(shown(
        "-- What it does.\n-- Which index.\nSELECT :b, :a, :b::int -- tail\nFROM t;"
    ));
}

#[test]
fn limit() {
    insta::assert_snapshot!(shown("SELECT 1 {{limit :n}}"));
    insta::assert_snapshot!(shown("SELECT 1 {{limit 10}}"));
}

#[test]
fn skip_locked() {
    insta::assert_snapshot!(shown("SELECT 1 {{limit :n}} {{skip_locked}}"));
}

#[test]
fn in_list() {
    insta::assert_snapshot!(shown(
        "SELECT 1 WHERE a {{in :ids:uuid}} AND b {{in :n:int}} AND c {{in :t:text}}"
    ));
}

#[test]
fn pages() {
    let text = "SELECT 1 FROM t WHERE {{beyond t.at :at, t.id :edge}} AND {{beyond name :name}} \
                AND {{upto t.at :to_at, t.id :to}} AND {{upto name :end}} ORDER BY id {{along}} {{limit :n}}";
    let mut shown = String::new();
    for (dialect, leg) in Dialect::ALL
        .into_iter()
        .flat_map(|dialect| Leg::ALL.map(|leg| (dialect, leg)))
    {
        let page = Statement::render_page("test.one", text, dialect, leg).unwrap();
        writeln!(shown, "{dialect}: {} {:?}", page.sql(), page.params()).unwrap();
    }
    for wrong in [
        "{{along up}}",
        "{{beyond id}}",
        "{{beyond i-d :a}}",
        "{{beyond a :a, b :b, c :c}}",
        "{{upto id}}",
    ] {
        let error = Statement::render_page("test.one", wrong, Dialect::Sqlite, Leg::ALL[1]);
        writeln!(shown, "{}", error.unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn rows() {
    insta::assert_snapshot!(shown(
        "INSERT INTO t (a, b, c, d, e, f)\n{{rows a:uuid, b:int, c:text, d:bytes, e:bool, f:float}}"
    ));
}

#[test]
fn upsert() {
    insta::assert_snapshot!(shown(
        "INSERT INTO t (a, b, c) {{rows a:uuid, b:int, c:text}} {{upsert a, b: c}}"
    ));
}

#[test]
fn insert_or_nothing() {
    insta::assert_snapshot!(shown(
        "INSERT INTO t (a, b) VALUES (:a, :b) {{insert_or_nothing a, b}}"
    ));
}

#[test]
fn bad_texts_are_refused_with_place_and_mend() {
    let bad = [
        "SELECT 1\n{{limits :n}}",
        "SELECT 1\n{{limit n}}",
        "SELECT 1\n{{in :ids}}",
        "SELECT 1\n{{in :ids:json}}",
        "INSERT INTO t\n{{rows a b}}",
        "INSERT INTO t\n{{upsert a}}",
        "INSERT INTO t\n{{upsert a; drop: b}}",
        "INSERT INTO t {{rows a:int}} WHERE :x",
        "INSERT INTO t {{rows a:int}} {{rows b:int}}",
        "SELECT $1",
        "SELECT 1;\nSELECT 2",
        "SELECT :é",
        "SELECT\n'open",
        "-- nothing\n;",
    ];
    let shown: Vec<String> = bad
        .iter()
        .map(|text| {
            Statement::render("test.bad", text, Dialect::Postgres)
                .unwrap_err()
                .to_string()
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn what_writes_is_known() {
    for text in [
        "INSERT INTO t VALUES (1)",
        "  -- why\n update t SET a = 1",
        "DELETE FROM t",
        "WITH a AS (SELECT 1) UPDATE t SET a = 1",
        "WITH a AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM a",
        "CREATE TABLE t (a INT)",
    ] {
        assert!(of(text).writes(), "{text}");
    }
    for text in [
        "SELECT * FROM t",
        "SELECT 'DELETE', \"update\" FROM t -- INSERT",
        "WITH a AS (SELECT 1) SELECT replace(x, 'a', 'b') FROM a FOR NO KEY UPDATE",
        "SELECT 1 {{skip_locked}}",
        "VALUES (1)",
    ] {
        assert!(!of(text).writes(), "{text}");
    }
}

#[test]
fn only_a_plain_insert_is_sure_to_add_all_its_rows() {
    assert!(of("INSERT INTO t (a) {{rows a:int}}").inserts_all());
    assert!(of("INSERT INTO t (a, b) VALUES (:a, f(1, 2))").inserts_all());
    for text in [
        "INSERT INTO t (a) {{rows a:int}} {{insert_or_nothing a}}",
        "INSERT INTO t (a) {{rows a:int}} {{upsert a: b}}",
        "INSERT INTO t (a) VALUES (:a) ON CONFLICT DO NOTHING",
        "INSERT INTO t (a) VALUES (:a), (:b)",
        "INSERT INTO t (a) SELECT a FROM u",
        "UPDATE t SET a = :a",
    ] {
        assert!(!of(text).inserts_all(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "(\\PC|[ :'\"$\\[\\]{}/*\n;\\\\-]|\\{\\{(limit|in|rows|upsert) [:a-z, ]*\\}\\})*") {
        for dialect in Dialect::ALL {
            if let Ok(statement) = Statement::render("test.any", &text, dialect) {
                prop_assert!(!statement.sql().trim().is_empty());
            }
        }
    }
}
