//! Flow files that are right: what they are read as, and that the stored form says the same.

use std::time::Duration;

use crate::kinds::{REVIEW, TestKinds};
use runstone_model::{
    flow::{Fires, Flow, Out, Target},
    problem::Problems,
};

fn parse(text: &str) -> Flow {
    Flow::parse(text, &TestKinds)
        .map_err(|p| p.render())
        .unwrap()
}

#[test]
fn the_example_of_the_reference_is_read() {
    let flow = parse(REVIEW);
    assert_eq!(flow.name, "code_review");
    assert_eq!(flow.start, 0);
    let names: Vec<&str> = flow.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["extract", "suggest", "check"]);
    let suggest = &flow.nodes[1];
    assert_eq!(suggest.retry.max_attempts, 5);
    assert_eq!(suggest.retry.initial, Duration::from_millis(200));
    assert_eq!(suggest.timeout, Some(Duration::from_secs(60)));
    assert!(matches!(&flow.nodes[0].out, Out::Keys(keys) if keys.len() == 1 && keys[0].0 == 0));
    assert!(matches!(flow.nodes[2].out, Out::With));
    assert_eq!(flow.edges.len(), 4);
    assert_eq!(flow.edges[2].max, Some(3));
    assert!(matches!(&flow.edges[2].fires, Fires::When(e) if e.source().contains("threshold")));
    assert_eq!(flow.edges[3].to, Target::End);
    assert!(matches!(flow.edges[3].fires, Fires::Else));
    assert_eq!(flow.limits.steps, 1000);
    assert_eq!(flow.graph.loops().len(), 1);
    assert!(flow.warnings.is_empty(), "{:?}", flow.warnings);
}

#[test]
fn the_stored_form_keeps_the_order_of_nodes_and_reads_back_the_same() {
    let flow = parse(REVIEW);
    let again = Flow::from_canonical(&flow.canonical, &TestKinds).unwrap();
    assert_eq!(again.canonical, flow.canonical);
    let keys = |flow: &Flow| {
        flow.state
            .iter()
            .map(|key| key.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&again),
        keys(&flow),
        "a snapshot knows a key by its place"
    );
    assert_eq!(again.start, flow.start);
    let names = |f: &Flow| f.nodes.iter().map(|n| n.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&flow));
    assert_eq!(format!("{:?}", again.edges), format!("{:?}", flow.edges));
    assert_eq!(format!("{:?}", again.nodes), format!("{:?}", flow.nodes));
    let as_file: Result<Flow, Problems> = Flow::parse(&flow.canonical, &TestKinds);
    assert_eq!(as_file.unwrap().canonical, flow.canonical);
}
