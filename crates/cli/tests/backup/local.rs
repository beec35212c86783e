//! Files and folders.
use crate::place::Place;

#[test]
fn a_backup_is_verified_listed_and_restored() {
    let place = Place::new();
    let made = place.done(&["backup", "kept/", "--json"]).json();
    let archive = made["archive"].as_str().unwrap();
    assert!(archive.starts_with("kept/runstone-20"), "{archive}");
    assert_eq!(
        (&made["rows"]["runs"], &made["parent"]),
        (&1.into(), &().into())
    );
    let verified = place.done(&["backup", "verify", archive, "--json"]).json();
    assert_eq!(
        (&verified["ok"], &verified["archives"][0]["rows"]),
        (&true.into(), &made["rows"])
    );
    let said = place.done(&["backup", "verify", "kept"]);
    assert!(said.out.contains("full, 1 run (0 unfinished)"), "{said:?}");
    let listed = place.done(&["backup", "list", "kept", "--json"]).json();
    assert_eq!(listed["archives"][0]["id"], made["id"]);
    assert!(
        place
            .done(&["backup", "list", "kept"])
            .out
            .contains("sqlite")
    );
    let restored = place.done(&["restore", archive, "--db", "sqlite:copy.db"]);
    assert!(
        restored
            .out
            .starts_with("sqlite:copy.db: 1 run of 1 flow, as of 20"),
        "{restored:?}"
    );
    assert_eq!(place.runs("sqlite:copy.db"), 1);
    assert_eq!(place.run(&["doctor", "--db", "sqlite:copy.db"]).code, 0);
    assert_eq!(place.files("kept").len(), 1, "nothing else is left there");
}

#[test]
fn nothing_is_ever_overwritten() {
    let place = Place::new();
    place.done(&["backup", "a.rsb"]);
    let before = std::fs::read(place.path("a.rsb")).unwrap();
    place
        .run(&["backup", "a.rsb"])
        .refused(&["a.rsb", "there already", "mend: "]);
    assert_eq!(std::fs::read(place.path("a.rsb")).unwrap(), before);
    let again = place.run(&["restore", "a.rsb"]);
    again.refused(&[
        "sqlite:runstone.db",
        "not empty",
        "1 flows, 1 runs",
        "mend: nothing was changed",
    ]);
    assert_eq!(place.runs("sqlite:runstone.db"), 1);
    place
        .run(&["backup", "no/such/folder/a.rsb"])
        .refused(&["a.rsb", "cannot be written"]);
    place
        .run(&["backup", "b.rsb", "--db", "sqlite:none.db"])
        .refused(&["none.db", "does not exist"]);
    assert!(!place.path("b.rsb").exists());
}

#[test]
fn damaged_foreign_and_missing_archives_are_named() {
    let place = Place::new();
    place.done(&["backup", "a.rsb"]);
    let sound = std::fs::read(place.path("a.rsb")).unwrap();
    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let files: [(&str, &[u8], &str); 3] = [
        ("flipped.rsb", &flipped, "does not match its checksum"),
        (
            "cut.rsb",
            &sound[..sound.len() - 9],
            "is cut off: it ends at byte",
        ),
        ("letter.rsb", b"Dear Sir or Madam,", "not a Runstone backup"),
    ];
    for (name, bytes, want) in files {
        std::fs::write(place.path(name), bytes).unwrap();
        let said = place.run(&["backup", "verify", name]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(
            said.out.contains(name) && said.out.contains(want),
            "{said:?}"
        );
        place
            .run(&["restore", name, "--db", "sqlite:new.db"])
            .refused(&[name, want, "mend: "]);
        assert!(
            !place.path("new.db").exists(),
            "a bad archive makes no database"
        );
    }
    let said = place.run(&["backup", "verify", ".", "--json"]);
    assert_eq!((said.code, &said.json()["ok"]), (1, &false.into()));
    let none = place.run(&["backup", "verify", "none.rsb"]);
    none.refused(&["none.rsb"]);
    place.run(&["restore", "none.rsb"]).refused(&["none.rsb"]);
    place.run(&["backup", "list", "none"]).refused(&["none"]);
}

#[test]
fn an_encrypted_archive_needs_its_passphrase() {
    const VARIABLE: &str = "RUNSTONE_BACKUP_PASSPHRASE";
    let place = Place::new();
    std::fs::write(place.path("secret"), "hunter2 and more\nnot this\n").unwrap();
    place.done(&["backup", "a.rsb", "--passphrase-file", "secret"]);
    for command in [
        &["backup", "verify", "a.rsb"][..],
        &["restore", "a.rsb", "--db", "sqlite:b.db"],
    ] {
        place
            .run(command)
            .refused(&["a.rsb", "no passphrase was given", VARIABLE]);
        let wrong = place.run_with(command, VARIABLE, "hunter3");
        wrong.refused(&["a.rsb", "not the one"]);
        assert!(!wrong.err.contains("hunter"), "{wrong:?}");
        assert_eq!(
            place.run_with(command, VARIABLE, "hunter2 and more").code,
            0,
            "{command:?}"
        );
    }
    assert_eq!(place.runs("sqlite:b.db"), 1);
    let listed = place.done(&["backup", "list", "."]);
    assert!(
        listed.out.contains("encrypted"),
        "a manifest can be read: {listed:?}"
    );
    place
        .run(&["backup", "c.rsb", "--passphrase-file", "none"])
        .refused(&["none", "cannot be read"]);
    place
        .run_with(&["backup", "c.rsb"], VARIABLE, "")
        .refused(&[VARIABLE, "empty"]);
}

#[test]
fn increments_find_what_they_need_beside_them() {
    let place = Place::new();
    place.done(&["backup", "a.rsb"]);
    place.another_run();
    let second = place
        .done(&["backup", "b.rsb", "--since", "a.rsb", "--json"])
        .json();
    assert_eq!(second["rows"]["runs"], 1);
    place.another_run();
    place.done(&["backup", "c.rsb", "--since", "b.rsb"]);
    let said = place.done(&["backup", "verify", "c.rsb"]);
    assert!(
        said.out
            .contains("incremental, 1 run new, 3 runs (0 unfinished)"),
        "{said:?}"
    );
    place.done(&["restore", "c.rsb", "--db", "sqlite:c.db"]);
    assert_eq!(place.runs("sqlite:c.db"), 3);
    let at = second["created_at"].as_str().unwrap();
    place.done(&["restore", ".", "--at", at, "--db", "sqlite:b.db"]);
    assert_eq!(place.runs("sqlite:b.db"), 2);
    let early = [
        "restore",
        ".",
        "--at",
        "2020-01-01T00:00:00Z",
        "--db",
        "sqlite:x.db",
    ];
    place
        .run(&early)
        .refused(&["no archive is from 2020-01-01", "backup list"]);

    // Elsewhere, without its parents; then all of them, named in any order.
    for name in ["a.rsb", "b.rsb", "c.rsb"] {
        let folder = place.path(&format!("only-{name}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::rename(place.path(name), folder.join(name)).unwrap();
    }
    let alone = place.run(&["restore", "only-c.rsb/c.rsb", "--db", "sqlite:d.db"]);
    alone.refused(&["c.rsb is an increment to the backup", "name its file too"]);
    let alone = place.done(&["backup", "verify", "only-c.rsb/c.rsb"]);
    assert!(alone.err.contains("its parent is not here"), "{alone:?}");
    let all = ["only-c.rsb/c.rsb", "only-a.rsb/a.rsb", "only-b.rsb/b.rsb"];
    place.done(&[&["restore", "--db", "sqlite:d.db"][..], &all].concat());
    assert_eq!(place.runs("sqlite:d.db"), 3);
    place.done(&["backup", "stray.rsb"]);
    let stray = [&["restore", "stray.rsb", "--db", "sqlite:e.db"][..], &all].concat();
    place
        .run(&stray)
        .refused(&["is no increment to it", "mend: "]);
}

#[test]
fn an_increment_to_a_damaged_archive_is_refused() {
    let place = Place::new();
    place.done(&["backup", "a.rsb"]);
    let path = place.path("a.rsb");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let said = place.run(&["backup", "b.rsb", "--since", "a.rsb"]);
    said.refused(&["a.rsb", "the whole", "checksum"]);
    assert_eq!(
        place
            .files("")
            .iter()
            .filter(|name| name.contains("b.rsb"))
            .count(),
        0
    );
}
