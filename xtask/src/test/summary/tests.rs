//! The table of a few cases, as it is printed.

use super::*;

fn case(suite: &str, name: &str, outcome: Outcome) -> Case {
    Case {
        suite: suite.to_owned(),
        name: name.to_owned(),
        outcome,
        left_out: Vec::new(),
    }
}

#[test]
fn cargo_test_result_line_is_counted() {
    let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 2 filtered out";
    let count = Count {
        passed: 12,
        failed: 3,
        skipped: 1,
    };
    assert_eq!(Count::of_result_line(line), Some(count));
    assert_eq!(Count::of_result_line("test a::b ... ok"), None);
}

#[test]
fn table_has_a_row_a_suite_and_a_column_a_database_and_ends_with_the_total() {
    let versions = [
        (Kind::Postgres13, Some("13.23")),
        (Kind::Postgres, None),
        (Kind::Mariadb, Some("10.11.14")),
    ];
    let mut summary = Summary::new(&versions);
    let skipped = |why: &str| Outcome::Skipped(why.to_owned());
    summary.add_cases(vec![
        case(
            "runstone-store::store",
            "claiming::sqlite::once",
            Outcome::Passed,
        ),
        case(
            "runstone-store::store",
            "claiming::postgres::once",
            Outcome::Passed,
        ),
        case(
            "runstone-store::store",
            "claiming::postgres13::once",
            Outcome::Failed,
        ),
        case(
            "runstone-store::store",
            "claiming::mysql::once",
            skipped("no server"),
        ),
        case(
            "runstone-store::store",
            "claiming::all_at_once",
            Outcome::Passed,
        ),
        case("runstone-store::store", "opening::says_so", Outcome::Passed),
        case(
            "runstone::kills",
            "mariadb::nothing_is_lost",
            Outcome::Passed,
        ),
        case("runstone-model", "time::parses_sqlitely", Outcome::Passed),
        case("runstone-db::seam", "kill_on_mysql", skipped("no server")),
    ]);
    let mut matrix = case(
        "runstone-testkit::copy",
        "matrix::sqlite::all",
        Outcome::Passed,
    );
    matrix.left_out.push("no other server".to_owned());
    summary.add_cases(vec![matrix]);
    summary.not_run("mysql", "no network");
    let expected = "
                              no     SQLite PostgreSQL PostgreSQL PostgreSQL    MariaDB      MySQL SQL Server
suite                   database    bundled      13.23      given  not there   10.11.14  not there  not there
db::seam                                                                                     0/0/1
model                      1/0/0
runstone::kills                                                                   1/0/0
store::store               1/0/0
store::store claiming      1/0/0      1/0/0      0/1/0      1/0/0                            0/0/1
testkit::copy matrix                  1/0/0
all                        3/0/0      2/0/0      0/1/0      1/0/0                 1/0/0      0/0/2

A cell is passed/failed/skipped. Every server that was started has its default durability: each commit is on disk.

SKIPPED 2 tests: no server

LEFT OUT in 1 tests that ran: no other server

NOT RUN on mysql: no network

7 passed, 1 failed, 2 skipped
";
    assert_eq!(summary.text(), expected);
}
