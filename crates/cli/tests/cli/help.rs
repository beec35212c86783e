//! The help of every command, word for word.
use crate::harness::Place;

#[test]
fn every_command_says_how_it_is_used() {
    let place = Place::new();
    let mut all = String::new();
    for command in [
        "",
        "run",
        "resume",
        "cancel",
        "runs",
        "show",
        "validate",
        "graph",
        "fmt",
        "migrate",
        "migrate up",
        "migrate down",
        "migrate status",
        "doctor",
        "backup",
        "backup verify",
        "backup list",
        "restore",
        "completions",
        "version",
        "debug",
        "debug sql",
    ] {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let said = place.run(&args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{command}");
        all.push_str(&format!("==== runstone {command}\n{}\n", said.out));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_usage_is_exit_2_and_names_what_is_wrong() {
    let place = Place::new();
    for (args, want) in [
        (vec![], "Usage: runstone"),
        (vec!["rnu"], "run"),
        (vec!["run"], "<FLOW>"),
        (vec!["run", "f.yaml", "--jsn"], "--json"),
        (vec!["runs", "--limit", "0"], "1..=500"),
        (vec!["runs", "--status", "done"], "completed"),
        (vec!["resume"], "--all"),
        (vec!["resume", "--all", "0192abcd"], "cannot be used with"),
        (vec!["run", "f.yaml", "--lease", "0"], "0.1 to 3600"),
        (vec!["migrate", "down"], "--to"),
        (vec!["backup"], "<TO>"),
        (vec!["backup", "x", "--every", "6"], "s, m, h or d"),
        (vec!["backup", "x", "--keep", "0"], "1.."),
        (
            vec!["backup", "x", "--since", "y", "--every", "6h"],
            "cannot be used with",
        ),
        (vec!["backup", "verify"], "<ARCHIVE>"),
        (vec!["restore"], "<ARCHIVE>"),
        (vec!["restore", "x", "--at", "noon"], "with its zone"),
    ] {
        let said = place.run(&args);
        assert_eq!(said.code, 2, "{args:?}: {said:?}");
        assert!(said.err.contains(want), "{args:?}: {said:?}");
        assert_eq!(said.out, "", "{args:?}");
    }
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_password_in_the_environment_is_not_in_the_help() {
    let mut place = Place::new();
    place.db = Some("postgres://u:hunter2@127.0.0.1/d".to_owned());
    for command in ["run", "runs", "doctor"] {
        assert!(!place.run(&[command, "--help"]).out.contains("hunter2"));
    }
}

#[test]
fn completions_are_there_for_each_shell() {
    let place = Place::new();
    for (shell, want) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef runstone"),
        ("fish", "complete -c"),
    ] {
        let said = place.run(&["completions", shell]);
        assert_eq!(said.code, 0);
        assert!(
            said.out.contains(want) && said.out.contains("resume"),
            "{shell}"
        );
    }
}

#[test]
fn version_is_told_to_people_and_programs() {
    let place = Place::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        place.run(&["--version"]).out,
        format!("runstone {version}\n")
    );
    assert_eq!(place.run(&["version"]).out, format!("runstone {version}\n"));
    let json = place.run(&["version", "--json"]).json();
    assert_eq!(json["version"], version);
    assert!(
        json["node_kinds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| kind == "http")
    );
}
