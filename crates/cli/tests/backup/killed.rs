//! Killed in the middle: no half archive has an archive's name, and no half-restored database is
//! taken for a whole one.
use std::io::{BufRead as _, BufReader};

use crate::place::{Place, until};

/// So much that a backup of it takes a while.
fn filled() -> Place {
    let place = Place::new();
    place.done(&[
        "bench",
        "chain",
        "--db",
        "sqlite:big.db",
        "--runs",
        "3000",
        "--concurrency",
        "500",
        "--acks",
    ]);
    place
}

#[test]
fn killed_in_mid_backup_leaves_no_archive() {
    let place = filled();
    let mut child = place.start(&["backup", "kept/", "--db", "sqlite:big.db"]);
    until("the first bytes", || {
        let files = place.files("kept");
        let part = files.iter().find(|name| name.ends_with(".part"));
        part.is_some_and(|name| {
            let part = std::fs::metadata(place.path("kept").join(name));
            part.is_ok_and(|part| part.len() > 100_000)
        })
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let left = place.files("kept");
    assert!(left.iter().all(|name| name.ends_with(".part")), "{left:?}");
    place
        .run(&["backup", "list", "kept"])
        .refused(&["there is no archive"]);
    place.done(&["backup", "kept/", "--db", "sqlite:big.db"]);
    place.done(&["backup", "verify", "kept"]);
}

#[test]
fn killed_in_mid_restore_leaves_a_database_that_says_so() {
    let place = filled();
    place.done(&["backup", "a.rsb", "--db", "sqlite:big.db"]);
    let restore = ["restore", "a.rsb", "--db", "sqlite:copy.db"];
    let mut child = place.start(&restore);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("restoring")));
    let grown = |name: &str| std::fs::metadata(place.path(name)).map_or(0, |file| file.len());
    until("the first rows", || {
        grown("copy.db") + grown("copy.db-wal") > 1_000_000
    });
    child.kill().unwrap();
    child.wait().unwrap();
    for command in [
        &["runs"][..],
        &["doctor"],
        &["resume", "--all"],
        &["run", "flow.yaml"],
    ] {
        let said = place.run(&[command, &["--db", "sqlite:copy.db"]].concat());
        said.refused(&["sqlite:copy.db", "did not finish", "restore into it again"]);
    }
    place.done(&restore);
    assert_eq!(place.run(&["doctor", "--db", "sqlite:copy.db"]).code, 0);
    let runs = |db| {
        place
            .done(&["runs", "--json", "--db", db, "--limit", "3"])
            .json()
    };
    assert_eq!(
        runs("sqlite:copy.db")["items"],
        runs("sqlite:big.db")["items"]
    );
}
