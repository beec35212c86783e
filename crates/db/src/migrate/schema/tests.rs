//! Reading DDL, and what counts as a difference.
#![expect(clippy::unwrap_used, reason = "tests")]
use super::Schema;
use crate::Dialect;

const SCRIPT: &str = "
CREATE TABLE a (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- a comment, with a comma
  name TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
CREATE TABLE b (
  id BIGINT NOT NULL,
  a_id BLOB NOT NULL REFERENCES a (id) ON DELETE SET NULL,
  state TEXT DEFAULT 'x, y' CHECK (state IN ('on', 'off')),
  PRIMARY KEY (id, a_id),
  CONSTRAINT b_positive CHECK (id >= 1)
);
CREATE INDEX b_a ON b (a_id, id DESC) WHERE state IS NOT NULL;
INSERT INTO a VALUES (x'00', 'CREATE TABLE c (d INT)');
ALTER TABLE b ADD COLUMN added BIGINT NOT NULL DEFAULT 0;
";

fn parse(script: &str) -> Schema {
    Schema::parse(script, Dialect::Sqlite).unwrap()
}

/// What is told when `from` is wanted and the script with one replacement is there.
fn told(old: &str, new: &str) -> Vec<String> {
    assert!(SCRIPT.contains(old), "{old}");
    let differences = parse(SCRIPT).differences(&parse(&SCRIPT.replacen(old, new, 1)));
    differences.into_iter().map(|one| one.message).collect()
}

#[test]
fn a_script_is_read_with_all_its_parts() {
    insta::assert_debug_snapshot!(parse(SCRIPT));
}

#[test]
fn the_same_in_other_words_is_no_difference() {
    for (old, new) in [
        (
            "state IN ('on', 'off')",
            "(state = 'on') or (\"state\" = 'off')",
        ),
        ("id >= 1", "((id) >= (1))"),
        ("  name TEXT", "  \"name\"   text"),
        ("CONSTRAINT b_positive CHECK", "CHECK"),
        ("-- a comment, with a comma", "/* another */"),
    ] {
        assert_eq!(told(old, new), [""; 0], "{new}");
    }
}

#[test]
fn between_is_two_comparisons() {
    let with = |check: &str| parse(&format!("CREATE TABLE c (n INT CHECK ({check}))"));
    let between = with("n BETWEEN 0 AND 9");
    assert_eq!(between, with("(n >= 0) AND (n <= 9)"));
    assert_ne!(between, with("(n > 0) AND (n < 9)"));
}

#[test]
fn every_kind_of_difference_is_told() {
    let all: Vec<String> = [
        ("name TEXT NOT NULL UNIQUE", "name TEXT NOT NULL"),
        ("name TEXT NOT NULL UNIQUE", "name BLOB UNIQUE"),
        (
            "name TEXT NOT NULL UNIQUE",
            "name TEXT NOT NULL UNIQUE, mine INT",
        ),
        ("added BIGINT", "renamed BIGINT"),
        ("PRIMARY KEY (id, a_id)", "PRIMARY KEY (a_id)"),
        (" ON DELETE SET NULL", ""),
        ("'off')", "'no')"),
        ("id >= 1", "id > 1"),
        ("id >= 1", "id >= 2"),
        ("(a_id, id DESC)", "(id)"),
        (" WHERE state IS NOT NULL", ""),
        ("CREATE INDEX b_a ON b", "CREATE UNIQUE INDEX b_a ON b"),
        ("CREATE TABLE a", "CREATE TABLE z"),
    ]
    .iter()
    .map(|(old, new)| format!("{new}: {}", told(old, new).join("; ")))
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn an_index_that_somebody_added_is_harmless_and_nothing_else_is() {
    let added = parse(&format!("{SCRIPT};CREATE INDEX mine ON b (state)"));
    let differences = parse(SCRIPT).differences(&added);
    assert!(
        differences.len() == 1 && differences[0].is_harmless,
        "{differences:?}"
    );
    let added = parse(&format!("{SCRIPT};CREATE UNIQUE INDEX mine ON b (state)"));
    let differences = parse(SCRIPT).differences(&added);
    assert!(
        differences.len() == 1 && !differences[0].is_harmless,
        "{differences:?}"
    );
    let other = parse(&format!("{SCRIPT};CREATE TABLE mine (a INT)"));
    assert_eq!(parse(SCRIPT).differences(&other), []);
}

#[test]
fn a_foreign_key_needs_an_index_that_begins_with_it_and_holds_all_rows() {
    let ours = parse(SCRIPT);
    assert_eq!(ours.unindexed_references(&ours), ["`b` (a_id)"]);
    let whole = parse(&SCRIPT.replace(" WHERE state IS NOT NULL", ""));
    assert_eq!(ours.unindexed_references(&whole), [""; 0]);
}

#[test]
fn mysql_and_sql_server_write_their_own() {
    let mysql = "CREATE TABLE a (
      id BINARY(16) NOT NULL PRIMARY KEY,
      n BIGINT NOT NULL,
      t VARCHAR(16) NOT NULL,
      UNIQUE KEY a_n (n),
      KEY a_t (t, id),
      CONSTRAINT a_of_b FOREIGN KEY (n) REFERENCES b (id) ON DELETE CASCADE,
      CONSTRAINT a_t CHECK (t IN ('x', 'y'))
    ) ENGINE = InnoDB /*!80017 COLLATE utf8mb4_0900_bin */";
    insta::assert_debug_snapshot!("mysql", Schema::parse(mysql, Dialect::Mysql).unwrap());
    let mssql = "CREATE TABLE a (
      id BINARY(16) NOT NULL,
      t NVARCHAR(MAX) COLLATE Latin1_General_100_BIN2_UTF8 NOT NULL,
      [on] BIT NOT NULL CONSTRAINT a_on DEFAULT (0),
      CONSTRAINT a_key PRIMARY KEY CLUSTERED (id),
      INDEX a_on ([on])
    );
    CREATE UNIQUE NONCLUSTERED INDEX a_once ON a (id, [on])";
    insta::assert_debug_snapshot!("mssql", Schema::parse(mssql, Dialect::Mssql).unwrap());
}
