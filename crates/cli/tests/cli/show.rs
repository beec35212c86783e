//! `runstone show` and `runstone runs`: what is told of a run afterwards.
use serde_json::json;

use crate::{
    harness::{Place, example, timeless},
    run::HELLO,
};

#[test]
fn show_tells_a_run_with_its_steps_and_its_graph() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.run(&["run", "hello.yaml", "--set", "who=Ada"]);
    let said = place.run(&["show", "last", "--steps", "--graph", "--state", "2"]);
    insta::assert_snapshot!(said.told());
}

#[test]
fn show_marks_where_a_run_failed() {
    let place = Place::new();
    place.file(
        "fail.yaml",
        "runstone: 1\nname: fail\nstart: a\nnodes:\n  a: {uses: set, with: {}}\n  \
         b: {uses: assert, with: {that: false, message: it cannot be}}\n  \
         c: {uses: set, with: {}}\nedges: [a -> b -> c -> end]\n",
    );
    place.run(&["run", "fail.yaml"]);
    let said = place.run(&["show", "last", "--steps", "--graph"]);
    assert_eq!(said.code, 0, "looking at a failed run is no failure");
    insta::assert_snapshot!(said.told());
}

#[test]
fn show_json_has_steps_in_the_promised_shape() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.run(&["run", "hello.yaml", "--set", "who=Ada"]);
    let run = place.last(&["--steps"]);
    let steps = run["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 5);
    let keys: Vec<&String> = steps[0].as_object().unwrap().keys().collect();
    let want = [
        "attempt",
        "duration_ms",
        "error",
        "node",
        "seq",
        "started_at",
        "status",
        "visit",
    ];
    assert_eq!(keys, want);
    let nodes: Vec<&str> = steps
        .iter()
        .map(|step| step["node"].as_str().unwrap())
        .collect();
    assert_eq!(nodes, ["greet", "count", "greet", "count", "say"]);
    assert_eq!(steps[2]["visit"], 2);
    assert!(steps[0]["started_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(run["input"], json!({"who": "Ada", "times": 2}));
}

#[test]
fn show_tells_the_state_at_any_step() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.run(&["run", "hello.yaml", "--set", "who=Ada"]);
    let at = |seq: &str| place.last(&["--state", seq])["state"].clone();
    assert_eq!(at("0"), json!({"count": 0, "lines": []}));
    assert_eq!(at("1"), json!({"count": 0, "lines": ["Hello, Ada"]}));
    assert_eq!(at("2"), json!({"count": 1, "lines": ["Hello, Ada"]}));
    assert_eq!(place.last(&[])["state"]["count"], 2);
    let beyond = place.run(&["show", "last", "--state", "99"]);
    assert_eq!(beyond.code, 2);
    assert!(beyond.err.contains("journal ends at 6"), "{beyond:?}");
}

#[test]
fn a_maps_steps_carry_their_items() {
    let place = Place::new();
    place.run(&["run", &example("map.yaml")]);
    let steps = place.last(&["--steps"])["steps"].clone();
    let items: Vec<_> = steps
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|s| s.get("item"))
        .collect();
    assert_eq!(items.len(), 4);
    assert!(
        place
            .run(&["show", "last", "--graph"])
            .out
            .contains("✓ 4 items")
    );
}

#[test]
fn runs_lists_newest_first_filters_and_pages() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.run(&["migrate", "up"]);
    assert!(
        place
            .run(&["runs"])
            .out
            .contains("no runs in this database yet")
    );
    place.run(&["run", "hello.yaml", "--set", "who=A"]);
    place.run(&["run", &example("map.yaml")]);
    place.run(&["run", "hello.yaml", "--set", "who=B", "--detach"]);

    insta::assert_snapshot!(timeless(&place.run(&["runs"]).out));
    let list = |args: &[&str]| {
        let said = place.run(&[&["runs", "--json"], args].concat());
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    };
    let flows = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["flow"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(flows(&list(&[])), ["hello", "map", "hello"]);
    assert_eq!(flows(&list(&["--flow", "map"])), ["map"]);
    assert_eq!(flows(&list(&["--status", "completed"])), ["map", "hello"]);
    assert_eq!(
        list(&["--status", "pending,failed"])["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(list(&["--flow", "nobody"])["items"], json!([]));

    let first = list(&["--limit", "2"]);
    assert_eq!(flows(&first), ["hello", "map"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = list(&["--limit", "2", "--before", cursor]);
    assert_eq!(flows(&second), ["hello"]);
    assert_eq!(second["next_cursor"], json!(null));
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    place.run(&["run", "hello.yaml", "--set", "who=A", "-q"]);
    let id = place.last(&[])["run_id"].as_str().unwrap().to_owned();
    assert_eq!(
        place.run(&["show", &id[..6], "--json"]).json()["run_id"],
        *id
    );
    place.run(&["run", "hello.yaml", "--set", "who=B", "-q"]);
    let other = place.last(&[])["run_id"].as_str().unwrap().to_owned();
    let both = place.run(&["show", &id[..6]]);
    assert_eq!(both.code, 2);
    assert!(
        both.err.contains(&id) && both.err.contains(&other),
        "both are listed: {both:?}"
    );
    assert_eq!(
        place.run(&["show", &id[..30], "--json"]).json()["run_id"],
        *id
    );
    for (wrong, why) in [
        ("ffffffff", "no run's id begins so"),
        ("abc", "not the id of a run"),
        ("hello", "not the id of a run"),
        (
            "00000000-0000-7000-8000-000000000000",
            "there is no such run",
        ),
    ] {
        let said = place.run(&["show", wrong]);
        assert_eq!(said.code, 2, "{wrong}");
        assert!(said.err.contains(why), "{wrong}: {said:?}");
    }
}
