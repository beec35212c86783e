//! Disks that are full and files that may not be written.
use crate::place::{Place, Said};

/// Whatever was left behind, with room again a run goes through.
fn mended(place: &Place) {
    let said = place.run(&["run", "grow.yaml", "-q"]);
    assert_eq!(said.code, 0, "{said:?}");
    place.is_sound();
}

#[test]
fn slow_a_full_disk_at_any_size_is_an_error_and_what_is_durable_goes_on() {
    let (mut started, mut refused) = (0, 0);
    for bytes in [
        0, 20, 3_000, 4_096, 9_000, 60_000, 130_000, 250_000, 300_000, 350_000, 400_000, 450_000,
        500_000, 550_000, 600_000, 800_000,
    ] {
        let place = Place::new();
        let said = place.run_on_full_disk(bytes, &["run", "grow.yaml"]);
        // The schema alone takes a few hundred kilobytes of log; the last one has room for all.
        let full = bytes < 800_000 && said.code != 0;
        if full || bytes < 250_000 {
            said.refused(&["t.db"]);
            assert!(
                ["limit on the size of files", "free some space", "lock file"]
                    .iter()
                    .any(|mend| said.err.contains(mend)),
                "{bytes}: {said:?}"
            );
        }
        if said.err.contains("▸ grow@1") {
            // Acknowledged steps are there, and the run goes on behind them.
            started += 1;
            let told = said
                .err
                .lines()
                .filter(|line| line.starts_with('✓'))
                .count();
            let shown = place.run(&["show", "last", "--json"]).json();
            assert!(shown["steps"].as_u64().unwrap() >= told as u64);
            place.goes_on(1);
            if full {
                assert!(said.err.contains("and then: runstone resume"), "{said:?}");
            }
        } else {
            refused += 1;
        }
        mended(&place);
    }
    assert!(
        started >= 3 && refused >= 3,
        "{started} {refused}: too few kinds of it were seen"
    );
}

#[test]
fn going_on_without_room_is_an_error_and_loses_nothing() {
    let place = Place::new();
    place.kill_after(100);
    for bytes in [50, 5_000, 40_000] {
        place
            .run_on_full_disk(bytes, &["resume", "--all"])
            .refused(&["t.db"]);
        let look = place.run_on_full_disk(40_000, &["runs", "--json"]);
        assert_eq!(look.json()["items"][0]["status"], "running", "{look:?}");
    }
    place.goes_on(1);
}

fn only_read(place: &Place, wants: &[&str]) {
    for command in [
        &["run", "grow.yaml"][..],
        &["resume", "--all"],
        &["cancel", "last"],
        &["migrate", "up"],
    ] {
        let said = place.run_as_nobody(command);
        said.refused(&["t.db"]);
        assert!(wants.iter().any(|want| said.err.contains(want)), "{said:?}");
    }
    let seen: Said = place.run_as_nobody(&["runs", "--json"]);
    assert_eq!(seen.json()["items"][0]["status"], "running", "{seen:?}");
}

#[test]
fn a_file_that_may_only_be_read_can_be_looked_at_and_nothing_else() {
    let place = Place::new();
    place.kill_after(50);
    place.rights("", 0o777);
    place.rights("t.db", 0o444);
    place.rights("t.db.lock", 0o666);
    only_read(
        &place,
        &["may only read the file; give it write permission"],
    );
    place.rights("t.db", 0o644);
    place.goes_on(1);
}

#[test]
fn a_folder_that_may_only_be_read_can_be_looked_at_and_nothing_else() {
    let place = Place::new();
    place.kill_after(50);
    let closed = [
        "check the permissions",
        "may be written",
        "give it write permission",
    ];
    // The copy of the program that nobody runs needs a place: the folder is closed for nobody only.
    only_read(&place, &closed);
    for name in ["t.db", "t.db.lock"] {
        place.rights(name, 0o666);
    }
    only_read(&place, &closed);
    place.goes_on(1);
}

#[test]
fn a_folder_that_may_only_be_read_needs_no_log_when_the_database_is_closed() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "grow.yaml", "-q"]).code, 0);
    assert!(!place.path("t.db-wal").exists());
    let said = place.run_as_nobody(&["runs", "--json"]);
    assert_eq!(said.json()["items"][0]["status"], "completed", "{said:?}");
    let said = place.run_as_nobody(&["show", "last"]);
    assert_eq!(said.code, 0, "{said:?}");
}
