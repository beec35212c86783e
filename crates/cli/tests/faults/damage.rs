//! Files that are damaged, cut, of another program, or taken away.
use std::{fs, os::unix::fs::FileExt as _, path::Path};

use runstone_db::{Database, Dialect, Options, Statement};

use crate::place::{Place, Said};

const PAGE: u64 = 4096;

/// Every command tells of the damage or does its work; none panics or hangs, as `Said` asserts.
fn every_command(place: &Place) -> Vec<Said> {
    let commands: [&[&str]; 7] = [
        &["runs"],
        &["show", "last", "--steps"],
        &["doctor"],
        &["migrate", "status"],
        &["cancel", "last"],
        &["resume", "--all"],
        &["run", "grow.yaml", "-q"],
    ];
    let said: Vec<Said> = commands.iter().map(|command| place.run(command)).collect();
    for (command, said) in commands.iter().zip(&said) {
        assert!([0, 1, 2].contains(&said.code), "{command:?}: {said:?}");
        if said.code == 2 {
            said.refused(&["t.db"]);
        }
    }
    said
}

/// Noise that is the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn overwrite(path: &Path, at: u64, length: usize) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(&noise(length), at).unwrap();
}

/// A database with a run that is over and one that was killed, everything in the one file.
fn settled() -> Place {
    let place = Place::new();
    assert_eq!(place.run(&["run", "grow.yaml", "-q"]).code, 0);
    place.kill_after(50);
    // Whoever opens it for writing and closes it empties the log into the file.
    assert_eq!(place.run(&["run", "grow.yaml", "--detach", "-q"]).code, 0);
    assert!(!place.path("t.db-wal").exists());
    place
}

#[test]
fn slow_every_damaged_page_is_noticed() {
    let place = settled();
    let file = place.path("t.db");
    let sound = fs::read(&file).unwrap();
    let pages = sound.len() as u64 / PAGE;
    assert!(pages > 30);
    let mut noticed = 0;
    // Every page for the doctor; every command for some of them, the first ones included.
    for page in 0..pages {
        overwrite(&file, page * PAGE, 4096);
        let doctor = place.run(&["doctor"]);
        let told = doctor.code == 2 || doctor.out.contains("integrity");
        assert!(told && doctor.code != 0, "page {page}: {doctor:?}");
        noticed += 1;
        if page < 4 || page % 16 == 0 {
            every_command(&place);
        }
        fs::write(&file, &sound).unwrap();
        for beside in ["t.db-wal", "t.db-shm"] {
            let _ = fs::remove_file(place.path(beside));
        }
    }
    println!("{noticed} of {pages} pages");
    place.goes_on(3);
}

#[test]
fn a_damaged_header_is_an_error_for_every_command() {
    let place = settled();
    let file = place.path("t.db");
    let sound = fs::read(&file).unwrap();
    for (at, length) in [(0, 16), (0, 100), (16, 2), (100, 8)] {
        overwrite(&file, at, length);
        for said in every_command(&place) {
            said.refused(&["t.db"]);
        }
        fs::write(&file, &sound).unwrap();
    }
    for length in [2, 99, 100, 4095, 4096 * 3 + 7, sound.len() - 4096] {
        fs::write(&file, &sound[..length]).unwrap();
        for said in every_command(&place) {
            said.refused(&["t.db"]);
        }
        fs::write(&file, &sound).unwrap();
    }
    place.goes_on(3);
}

#[test]
fn slow_a_log_that_is_cut_or_damaged_loses_its_end_and_no_more() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "grow.yaml", "-q"]).code, 0);
    place.kill_after(200);
    let names = ["t.db", "t.db-wal"];
    let sound = names.map(|name| fs::read(place.path(name)).unwrap());
    let log = sound[1].len();
    let restore = || {
        let _ = fs::remove_file(place.path("t.db-shm"));
        for (name, bytes) in names.iter().zip(&sound) {
            fs::write(place.path(name), bytes).unwrap();
        }
    };
    let mut steps = Vec::new();
    for cut in [0, 31, 32, 5_000, log / 4, log / 2, log - 1, log] {
        restore();
        fs::write(place.path("t.db-wal"), &sound[1][..cut]).unwrap();
        let runs = place.run(&["runs", "--json"]).json();
        let runs = runs["items"].as_array().unwrap().len();
        let rows = place.run(&["show", "last", "--json"]).json()["steps"]
            .as_u64()
            .unwrap();
        steps.push(if runs == 2 { rows } else { 0 });
        place.goes_on(runs);
    }
    assert!(
        steps.is_sorted() && steps[0] == 0 && steps[7] >= 200,
        "{steps:?}"
    );
    // Noise in the middle ends the log there, as its checksums say.
    restore();
    overwrite(&place.path("t.db-wal"), log as u64 / 2, 64);
    place.goes_on(2);
}

#[test]
fn another_schema_is_refused_and_left_alone() {
    let place = settled();
    let file = place.path("t.db");
    let sound = fs::read(&file).unwrap();
    for (sql, want) in [
        (
            "UPDATE runstone_migrations SET version = 99 WHERE version = 1",
            "newer",
        ),
        ("ALTER TABLE journal DROP COLUMN attempt", "journal"),
        ("DROP TABLE snapshots", "snapshots"),
    ] {
        change(&file, sql);
        let changed = fs::read(&file).unwrap();
        for command in [&["runs"][..], &["resume", "--all"], &["run", "grow.yaml"]] {
            let said = place.run(command);
            said.refused(&["t.db", want]);
            assert!(said.err.contains("mend: "), "{said:?}");
        }
        let doctor = place.run(&["doctor"]);
        let told = [&*doctor.out, &*doctor.err].concat();
        assert!(doctor.code != 0 && told.contains(want), "{doctor:?}");
        assert!(
            fs::read(&file).unwrap() == changed,
            "{sql}: something was written"
        );
        fs::write(&file, &sound).unwrap();
    }
    place.goes_on(3);
}

fn change(file: &Path, sql: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite:{}", file.display());
        let db = Database::connect(&url, Options::default()).await.unwrap();
        let statement = Statement::render("test.change", sql, Dialect::Sqlite).unwrap();
        db.execute(&statement, &[]).await.unwrap();
        db.close().await;
    });
}

#[test]
fn a_file_that_is_deleted_or_replaced_while_a_run_is_under_way_is_an_error() {
    for lost in [
        &["t.db", "t.db-wal", "t.db-shm"][..],
        &["t.db"],
        &["t.db-wal"],
    ] {
        let place = Place::new();
        let child = place.start(20);
        // Moved away, as a delete does it, but the test can put it back.
        for name in lost {
            fs::rename(place.path(name), place.path(&format!("{name}.kept"))).unwrap();
        }
        let said = Said::from(child);
        said.refused(&["t.db", "was deleted or replaced", "put it back"]);
        assert_eq!(said.out, "", "it says that it has completed: {said:?}");
        for name in ["t.db", "t.db-wal", "t.db-shm"] {
            let kept = place.path(&format!("{name}.kept"));
            if kept.exists() {
                fs::rename(kept, place.path(name)).unwrap();
            }
        }
        place.goes_on(1);
    }
}
