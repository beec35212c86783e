//! The bars on made-up figures: which cells count, how a ratio is made, and what the table says.

use super::super::table;
use super::*;

fn cell(scenario: &'static str, db: Db, concurrency: u32, printed: Value) -> Cell {
    Cell {
        scenario,
        db,
        concurrency,
        printed,
    }
}

fn chain(db: Db, concurrency: u32, steps_per_s: f64, raw: f64) -> Cell {
    let printed = json!({"steps_per_s": steps_per_s, "raw_rows_per_s": raw,
                         "runs": 10, "steps": 100, "p50_ms": 10.0 * 1e3 / steps_per_s,
                         "raw_commit_us": 1e6 / raw, "ratio_to_raw": steps_per_s / raw,
                         "durability": "full"});
    cell("chain", db, concurrency, printed)
}

fn start(db: Db, runs: u32, seconds: f64, raw: f64) -> Cell {
    // Not the runs: a start may have more than one step.
    let printed = json!({"runs": runs, "seconds": seconds, "raw_rows_per_s": raw,
                         "steps_per_s": 1.0, "durability": "full"});
    cell("start", db, MANY, printed)
}

fn theirs(steps_per_s: f64) -> Theirs {
    let (version, durability) = ("1.2".to_owned(), "sync".to_owned());
    Theirs {
        steps_per_s,
        version,
        durability,
        printed: Vec::new(),
    }
}

fn fixture() -> Measured {
    let mut measured = Measured::default();
    for (steps, raw) in [
        (30_000.0, 60_000.0),
        (20_000.0, 80_000.0),
        (36_000.0, 60_000.0),
    ] {
        measured.add(chain(Db::Sqlite, MANY, steps, raw));
    }
    measured.add(chain(Db::Sqlite, 1, 8_000.0, 10_000.0));
    measured.add(chain(Db::Postgres, MANY, 9_000.0, 60_000.0));
    measured.add(chain(Db::Postgres, 1, 6_000.0, 7_000.0));
    measured.add(start(Db::Sqlite, 20_000, 2.0, 60_000.0));
    measured.add(cell(
        "fanout",
        Db::Sqlite,
        MANY,
        json!({"steps_per_s": 41_000.4, "durability": "full"}),
    ));
    let (before, after) = (
        chain(Db::Sqlite, MANY, 10_000.0, 1.0),
        chain(Db::Sqlite, MANY, 14_000.0, 1.0),
    );
    for rate in [400.0, 1_000.0] {
        let one = Against::new("Restate", &before, &after, theirs(rate)).expect("numbers");
        measured.against.push(one);
    }
    measured.not_run("DBOS (Python) on PostgreSQL", "not installed: no python3");
    measured.storage =
        Some(json!({"stored_bytes": 2_048_000, "state_bytes": 1_024_000, "ratio": 2.0}));
    measured
}

#[test]
fn the_table_says_it_all() {
    let notes = ["2 cores".to_owned()]
        .into_iter()
        .chain(fixture().settings());
    let notes: Vec<String> = notes.collect();
    let expected = "\
bar  what                                                       measured    must     aim  verdict    figures
P1   chain on SQLite, 128 in flight ÷ raw rows                      0.50   ≥ 0.3   ≥ 0.6  pass       30,000/s, raw 60,000/s [0.25–0.60]
P2   raw commit ÷ step, chain on SQLite, 1 run at a time            0.80   ≥ 0.6  ≥ 0.85  pass       125 µs a step, raw commit 100 µs
P3   chain on PostgreSQL, 128 in flight ÷ raw rows                  0.15   ≥ 0.2   ≥ 0.5  MISS       9,000/s, raw 60,000/s
P4   raw commit ÷ step, chain on PostgreSQL, 1 run at a time        0.86  ≥ 0.55   ≥ 0.8  pass, aim  167 µs a step, raw commit 143 µs
P5   chain, times LangGraph on SQLite                                  –    ≥ 10    ≥ 30  not run    not run
P5   chain, times DBOS (Python) on SQLite                              –    ≥ 10    ≥ 30  not run    not run
P5   chain, times Restate                                          21.00    ≥ 10    ≥ 30  pass       12,000/s, theirs 700/s [12.00–30.00]
P5   chain, times LangGraph on PostgreSQL                              –    ≥ 10    ≥ 30  not run    not run
P5   chain, times DBOS (Python) on PostgreSQL                          –    ≥ 10    ≥ 30  not run    not installed: no python3
P6   1-step runs on SQLite ÷ (raw rows ÷ 3)                         0.50  ≥ 0.25   ≥ 0.5  pass, aim  10,000/s, raw 60,000/s
P6   1-step runs on PostgreSQL ÷ (raw rows ÷ 3)                        –  ≥ 0.25   ≥ 0.5  not run    no cell
P7   stored bytes ÷ bytes of the state, 1,000 × 1 KiB appended      2.00     ≤ 3   ≤ 1.5  pass       2,048,000 bytes, state 1,024,000 bytes
     fanout on SQLite, steps/s                                     41000
     chain on MariaDB, 128 in flight ÷ raw rows                        –                             no cell
     raw commit ÷ step, chain on MariaDB, 1 run at a time              –                             no cell
     chain on SQL Server, 128 in flight ÷ raw rows                     –                             no cell
     raw commit ÷ step, chain on SQL Server, 1 run at a time           –                             no cell

* 2 cores
* runstone on SQLite: full
* runstone on PostgreSQL: full
* Restate 1.2: sync
";
    assert_eq!(table::text(&judge(&fixture()), &notes), expected);
}

#[test]
fn a_missing_figure_is_named_instead_of_judged() {
    let mut measured = Measured::default();
    measured.add(cell("chain", Db::Sqlite, MANY, json!({"steps_per_s": 5.0})));
    let rows = judge(&measured);
    let why = rows[0].measured.as_ref().expect_err("no raw figure");
    assert!(why.contains("raw_rows_per_s"), "{why}");
    assert!(!rows[0].misses());
}

#[test]
fn the_median_of_an_even_number_lies_between_the_middle_two() {
    assert_eq!(median([4.0, 1.0, 3.0, 2.0].into_iter()), Some(2.5));
    assert_eq!(median([9.0, 1.0, 3.0].into_iter()), Some(3.0));
    assert_eq!(median(std::iter::empty()), None);
}
