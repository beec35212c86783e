//! Backups again and again, and what is kept of them.
use crate::place::{Place, signal, until};

fn archives(place: &Place) -> Vec<String> {
    let mut files = place.files("kept");
    files.retain(|name| name.ends_with(".rsb"));
    files
}

#[test]
fn rounds_are_taken_and_tidied_until_it_is_told_to_stop() {
    let place = Place::new();
    let child = place.start(&[
        "backup",
        "kept/",
        "--every",
        "1s",
        "--full-every",
        "3",
        "--keep",
        "2",
        "--json",
    ]);
    // Two full ones have been; what came before the second one and its child is gone.
    until("a second chain", || {
        let listed = place.run(&["backup", "list", "kept", "--json"]);
        listed.code == 0 && {
            let listed = listed.json();
            let all = listed["archives"].as_array().unwrap();
            all.len() >= 2
                && all[0]["parent"].is_null()
                && all.len() == 2
                && std::fs::read_dir(place.path("kept")).unwrap().count() == 2
                && !all[1]["parent"].is_null()
        }
    });
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(err.contains("the next backup is in"), "{err}");
    let made = out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(made.count() >= 2, "one JSON document a line: {out}");
    assert_eq!(place.done(&["backup", "verify", "kept"]).code, 0);
}

#[test]
fn retention_never_takes_what_a_kept_increment_needs() {
    let place = Place::new();
    for round in 0..4 {
        place.another_run();
        let said = place.done(&[
            "backup",
            "kept/",
            "--full-every",
            "9",
            "--keep",
            "1",
            "--json",
        ]);
        let parent = &said.json()["parent"];
        assert_eq!(parent.is_null(), round == 0, "only the first is a full one");
    }
    assert_eq!(archives(&place).len(), 4, "all of them lead to the newest");
    std::fs::write(place.path("kept/notes.rsb"), "not an archive").unwrap();
    std::fs::write(place.path("kept/other.txt"), "not ours").unwrap();
    let said = place.done(&["backup", "kept/", "--keep", "1", "--json"]);
    assert_eq!(said.json()["deleted"].as_array().unwrap().len(), 4);
    assert_eq!(
        archives(&place).len(),
        2,
        "the newest, and what is none is never touched"
    );
    assert!(place.path("kept/other.txt").exists());
    place.done(&["restore", "kept", "--db", "sqlite:copy.db"]);
    assert_eq!(place.runs("sqlite:copy.db"), 5);
}

#[test]
fn a_round_that_fails_is_made_again() {
    let place = Place::new();
    std::fs::rename(place.path("runstone.db"), place.path("away.db")).unwrap();
    let child = place.start(&["backup", "kept/", "--every", "1s"]);
    // It must have failed once: the folder is made before.
    until("the folder", || place.path("kept").exists());
    std::fs::rename(place.path("away.db"), place.path("runstone.db")).unwrap();
    until("a backup", || !archives(&place).is_empty());
    signal(&child, "-INT");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn several_backups_need_a_folder() {
    let place = Place::new();
    let said = place.run(&["backup", "a.rsb", "--every", "1h"]);
    said.refused(&["a.rsb", "ends in `/`"]);
    place
        .run(&["backup", "a.rsb", "--keep", "2"])
        .refused(&["a.rsb", "name a folder"]);
}

#[test]
fn an_archive_that_cannot_be_deleted_is_a_warning_beside_a_backup_that_was_made() {
    let place = Place::new();
    place.done(&["backup", "kept/"]);
    let old = place.path("kept").join(&archives(&place)[0]);
    let immutable = |how: &str| {
        let done = std::process::Command::new("chattr")
            .arg(how)
            .arg(&old)
            .output();
        done.is_ok_and(|done| done.status.success())
    };
    if !immutable("+i") {
        eprintln!("SKIPPED: chattr +i does not work here, so every file can be deleted");
        return;
    }
    let said = place.run(&["backup", "kept/", "--keep", "1", "--json"]);
    assert!(immutable("-i"));
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.err
            .contains("warning: an archive that had its day stays"),
        "{said:?}"
    );
    let made = said.json();
    assert_eq!(made["deleted"].as_array().unwrap().len(), 0);
    assert_eq!(made["not_deleted"].as_array().unwrap().len(), 1);
    assert_eq!(archives(&place).len(), 2);
}
