//! Stopping, killing, resuming and cancelling, with the step held at a gate so that nothing depends
//! on time.
use runstone_testkit::on_every_database;
use serde_json::{Value, json};

use crate::{
    gate::Gate,
    harness::{Place, Said},
};

on_every_database! {
    fn a_run_that_ctrl_c_stopped_goes_on_where_it_was(place: &Place) {
        stop_and_resume(place);
    }

    fn a_run_whose_process_was_killed_goes_on_where_it_was(place: &Place) {
        kill_and_resume(place);
    }

    fn a_run_is_cancelled_from_another_process(place: &Place) {
        cancel_elsewhere(place);
    }

    fn resume_all_finishes_what_a_killed_process_left(place: &Place) {
        kill_and_resume_all(place);
    }

    fn a_watcher_carries_out_what_others_create(place: &Place) {
        watch(place);
    }
}

/// A lease short enough for a test: an owner that was killed is found dead soon.
const LEASE: [&str; 2] = ["--lease", "1"];

fn begin(place: &Place, gate: &Gate) -> crate::harness::Live {
    place.file("gated.yaml", Gate::flow());
    let set = gate.set();
    let args = [&["run", "gated.yaml", "--set", &set, "--json"], &LEASE[..]].concat();
    place.start(&args)
}

fn completed(said: &Said) {
    assert_eq!(said.code, 0, "{said:?}");
    let run = said.json();
    assert_eq!(run["status"], "completed");
    assert_eq!(
        run["output"],
        json!({"trail": ["before", "passed", "after"]})
    );
}

/// How often each node's step is in the journal.
fn starts(place: &Place) -> Value {
    let mut starts = json!({});
    for step in place.last(&["--steps"])["steps"].as_array().unwrap() {
        let count = &mut starts[step["node"].as_str().unwrap()];
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    starts
}

fn stop_and_resume(place: &Place) {
    let gate = Gate::new();
    let first = begin(place, &gate);
    let held = gate.arrival();
    first.signal("INT");
    let stopped = first.end();
    assert_eq!(stopped.code, 4, "{stopped:?}");
    assert!(
        stopped
            .err
            .contains("stopped; go on with: runstone resume "),
        "{stopped:?}"
    );
    assert_eq!(stopped.json()["status"], "running");
    assert_eq!(
        starts(place),
        json!({"before": 1}),
        "what was committed is there"
    );

    let second = place.start(&[&["resume", "last", "--json"], &LEASE[..]].concat());
    let again = gate.arrival();
    assert_eq!(
        again.key, held.key,
        "the other side can tell that it is the same step"
    );
    assert!(!again.key.is_empty());
    again.open();
    completed(&second.end());
    assert_eq!(starts(place), json!({"before": 1, "gate": 1, "after": 1}));
}

fn kill_and_resume(place: &Place) {
    let gate = Gate::new();
    let first = begin(place, &gate);
    let held = gate.arrival();
    first.signal("KILL");
    assert_eq!(first.end().code, -1);
    if place.db.is_none() {
        nobody_goes_on(place);
    }
    let second = place.start(&[&["resume", "last", "--json"], &LEASE[..]].concat());
    let again = gate.arrival();
    assert_eq!(again.key, held.key);
    again.open();
    completed(&second.end());
    assert_eq!(starts(place), json!({"before": 1, "gate": 1, "after": 1}));
}

/// On SQLite the engine's lock tells at once that the process is gone.
fn nobody_goes_on(place: &Place) {
    let last = place.last(&[]);
    assert_eq!(
        (&last["status"], &last["live"]),
        (&json!("running"), &json!(false))
    );
    let run = last["run_id"].as_str().unwrap();
    let again = format!("runstone resume {run}");
    let runs = place.run(&["runs"]);
    assert!(
        runs.out.contains("▸ interrupted") && runs.err.contains(&again),
        "{runs:?}"
    );
    let show = place.run(&["show", "last"]);
    assert!(
        show.out.contains("▸ interrupted") && show.out.contains(&again),
        "{show:?}"
    );
    let doctor = place.run(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(
        doctor.out.contains("dead_owners: 1 unfinished run"),
        "{doctor:?}"
    );
    assert!(doctor.out.contains("`runstone resume --all`"), "{doctor:?}");
}

fn kill_and_resume_all(place: &Place) {
    let gate = Gate::new();
    let first = begin(place, &gate);
    let _held = gate.arrival();
    first.signal("KILL");
    first.end();
    let second = place.start(&[&["resume", "--all", "--json"], &LEASE[..]].concat());
    gate.arrival().open();
    let said = second.end();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["completed"], 1);
    assert_eq!(place.last(&[])["status"], "completed");
}

fn cancel_elsewhere(place: &Place) {
    let gate = Gate::new();
    let first = begin(place, &gate);
    let _held = gate.arrival();
    assert_eq!(place.last(&[])["live"], true);
    let cancel = place.run(&["cancel", "last", "--json"]);
    assert_eq!(cancel.code, 0, "{cancel:?}");
    assert_eq!(cancel.json()["status"], "cancelled");
    assert!(cancel.err.contains("asked "), "{cancel:?}");
    let cancelled = first.end();
    assert_eq!(cancelled.code, 3, "{cancelled:?}");
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(starts(place), json!({"before": 1}));
}

fn watch(place: &Place) {
    let gate = Gate::new();
    place.file("gated.yaml", Gate::flow());
    let mut watcher = place.start(&[&["resume", "--watch"], &LEASE[..]].concat());
    watcher.wait_for("waiting for runs");
    let set = gate.set();
    let created = place.run(&["run", "gated.yaml", "--set", &set, "--detach"]);
    assert_eq!(created.code, 0, "{created:?}");
    gate.arrival().open();
    watcher.wait_for("✓ completed");
    watcher.signal("TERM");
    let said = watcher.end();
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(
        said.out,
        "1 run resumed: 1 completed, 0 failed, 0 cancelled\n"
    );
}

#[test]
fn the_second_ctrl_c_ends_at_once() {
    let place = Place::new();
    let gate = Gate::new();
    let mut first = begin(&place, &gate);
    let _held = gate.arrival();
    first.signal("INT");
    first.wait_for("press Ctrl-C again");
    first.signal("INT");
    let code = first.end().code;
    // The first one may have done its work already.
    assert!(code == 130 || code == 4, "{code}");
    assert_eq!(place.last(&[])["status"], "running");
}
