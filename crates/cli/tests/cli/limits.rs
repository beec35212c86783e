//! Sizes: what is too large is refused with its limit, what is allowed works.
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{harness::Place, run::HELLO};

/// A chain of `nodes` nodes.
fn chain(nodes: usize) -> String {
    let mut flow =
        String::from("runstone: 1\nname: chain\nlimits: {steps: 20000}\nstart: n0\nnodes:\n");
    for node in 0..nodes {
        writeln!(flow, "  n{node}: {{uses: set, with: {{}}}}").unwrap();
    }
    flow.push_str("edges:\n");
    for node in 1..nodes {
        writeln!(flow, "  - n{} -> n{node}", node - 1).unwrap();
    }
    writeln!(flow, "  - n{} -> end", nodes - 1).unwrap();
    flow
}

const EACH: &str = "runstone: 1\nname: each\n\
    input: {type: object, required: [items], properties: {items: {type: array}}}\n\
    limits: {steps: 200000}\nstart: a\nnodes:\n  \
    a: {uses: template, for_each: \"${{ input.items }}\", max_parallel: 1000, \
    with: {text: \"item ${{ item }}\"}}\nedges: [a -> end]\n\
    output: {first: \"${{ results.a[0] }}\", size: \"${{ size(results.a) }}\"}\n";

fn items(count: usize) -> String {
    json!({ "items": (0..count).collect::<Vec<_>>() }).to_string()
}

#[test]
fn an_input_of_100_mb_is_refused_without_being_read_to_its_end() {
    let place = Place::new();
    place.file("hello.yaml", HELLO);
    let large = format!("{{\"who\": \"{}\"}}", "x".repeat(100 << 20));
    place.file("large.json", &large);
    for said in [
        place.run(&["run", "hello.yaml", "--input", "large.json"]),
        place.run_with_stdin(&["run", "hello.yaml", "--input", "-"], large.as_bytes()),
    ] {
        assert_eq!(said.code, 2, "{}", said.err);
        assert!(
            said.err.contains("larger than the limit of 16777216 bytes"),
            "{}",
            said.err
        );
    }
    assert_eq!(place.files(), ["hello.yaml", "large.json"]);
}

#[test]
fn a_flow_file_over_the_limit_is_refused() {
    let place = Place::new();
    place.file("large.yaml", &format!("# {}\n{HELLO}", "x".repeat(9 << 20)));
    let said = place.run(&["validate", "large.yaml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.out.contains("larger than the limit of 8388608 bytes"),
        "{}",
        said.out
    );
}

#[test]
fn a_flow_of_10_001_nodes_is_refused_by_its_limit() {
    let place = Place::new();
    place.file("many.yaml", &chain(10_001));
    let said = place.run(&["run", "many.yaml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("10000") && said.err.contains("10001"),
        "{}",
        said.err
    );
    assert_eq!(place.files(), ["many.yaml"]);
}

#[test]
fn slow_a_flow_of_10_000_nodes_works() {
    let place = Place::new();
    place.file("many.yaml", &chain(10_000));
    let said = place.run(&["validate", "many.yaml"]);
    assert_eq!(said.out, "✓ many.yaml: valid, 10000 nodes\n");
    let said = place.run(&["graph", "many.yaml"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("n9999"));
    let said = place.run(&["run", "many.yaml", "--json", "-q"]);
    assert_eq!((said.code, &said.json()["steps"]), (0, &json!(10_000)));
}

#[test]
fn slow_a_map_of_100_000_items_works() {
    let place = Place::new();
    place.file("each.yaml", EACH);
    place.file("items.json", &items(100_000));
    let said = place.run(&["run", "each.yaml", "--input", "items.json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.json(), json!({"first": "item 0", "size": 100_000}));
    assert!(
        said.err.lines().count() < 50,
        "the progress of a map stays short: {}",
        said.err
    );
    let run: Value = place.last(&[]);
    assert_eq!(run["steps"], 100_000);
}

#[test]
fn a_map_over_the_limit_fails_the_run_and_names_the_limit() {
    let place = Place::new();
    place.file("each.yaml", EACH);
    place.file("items.json", &items(100_001));
    let said = place.run(&["run", "each.yaml", "--input", "items.json"]);
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("100001") && said.err.contains("100000"),
        "{}",
        said.err
    );
}
