//! Several processes on one SQLite file: one executes, the others are told who does.
use crate::place::Place;

#[test]
fn a_second_engine_is_told_who_holds_the_file_and_takes_over_once_that_is_killed() {
    let place = Place::new();
    let mut first = place.start(10);
    let holder = format!("process {}: runstone run grow.yaml", first.id());
    // Frozen it still holds the file, however long it is not heard of.
    let signal = |name: &str| {
        let id = first.id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
    };
    signal("-STOP");
    for command in [
        &["run", "grow.yaml"][..],
        &["resume", "--all", "--lease", "0.1"],
        &["resume", "last", "--lease", "0.1"],
        &["migrate", "down", "--to", "0"],
    ] {
        place
            .run(command)
            .refused(&["sqlite:t.db", &holder, "mend: "]);
    }
    assert_eq!(
        place.run(&["runs", "--json"]).json()["items"][0]["status"],
        "running"
    );
    first.kill().unwrap();
    first.wait().unwrap();
    place.goes_on(1);
}
