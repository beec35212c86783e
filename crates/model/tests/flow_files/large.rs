//! Flows at and beyond the stated limits: read without overflow, or refused by name.
use runstone_model::{
    flow::{Flow, draw},
    limits::{MAX_EDGES, MAX_NODES},
    problem::Problems,
};

use crate::kinds::TestKinds;

fn flow(nodes: impl Iterator<Item = String>, edges: impl Iterator<Item = String>) -> String {
    let mut text = "runstone: 1\nname: large\nstate: {x: {}}\nnodes:\n".to_owned();
    for node in nodes {
        text += &format!("  {node}\n");
    }
    text += "edges:\n";
    for edge in edges {
        text += &format!("  - {edge}\n");
    }
    text
}

fn parse(text: &str) -> Result<Flow, Problems> {
    Flow::parse(text, &TestKinds)
}

fn codes(result: Result<Flow, Problems>) -> Vec<&'static str> {
    let mut codes: Vec<_> = result.unwrap_err().0.iter().map(|p| p.code).collect();
    codes.dedup();
    codes
}

#[test]
fn ten_thousand_nodes_in_a_row_are_read_and_drawn() {
    let node = |i| format!("n{i}: {{uses: set, with: {{x: \"${{{{ results.n{i}.x }}}}\"}}}}");
    let text = flow(
        (0..MAX_NODES).map(node),
        (1..MAX_NODES).map(|i| format!("n{} -> n{i}", i - 1)),
    );
    let flow = parse(&text).map_err(|p| p.render()).unwrap();
    assert_eq!(flow.nodes.len(), MAX_NODES);
    assert_eq!(draw::text(&flow).lines().count(), 2 + 2 * MAX_NODES - 1);
    assert!(draw::svg(&flow).ends_with("</svg>\n"));
    let again = Flow::from_canonical(&flow.canonical, &TestKinds)
        .map_err(|p| p.render())
        .unwrap();
    assert_eq!(again.canonical, flow.canonical);
}

#[test]
fn ten_thousand_branches_that_write_one_key_are_one_problem() {
    let text = flow(
        (0..MAX_NODES).map(|i| format!("n{i}: {{uses: set, with: {{x: {i}}}}}")),
        (1..MAX_NODES).map(|i| format!("n0 -> n{i}")),
    );
    assert_eq!(parse(&text).unwrap_err().0.len(), 1);
}

#[test]
fn a_ladder_of_forks_with_fifty_thousand_edges_is_read() {
    let steps = [1, 2, 3, 5, 7];
    let text = flow(
        (0..MAX_NODES).map(|i| format!("n{i}: {{uses: set, with: {{x: {i}}}}}")),
        (0..MAX_NODES).flat_map(|i| {
            steps.into_iter().filter_map(move |step| {
                Some(i + step)
                    .filter(|to| *to < MAX_NODES)
                    .map(|to| format!("n{i} -> n{to}"))
            })
        }),
    );
    let flow = parse(&text).map_err(|p| p.render()).unwrap();
    assert!(flow.edges.len() > MAX_EDGES - 100);
    assert!(draw::text(&flow).contains("n9999"));
}

#[test]
fn slow_too_many_nodes_or_edges_are_refused_by_the_limit() {
    let text = flow(
        (0..=MAX_NODES).map(|i| format!("n{i}: {{uses: echo}}")),
        (1..=MAX_NODES).map(|i| format!("n0 -> n{i}")),
    );
    assert!(codes(parse(&text)).contains(&"too_large"));
    let text = flow(
        (0..230).map(|i| format!("n{i}: {{uses: echo}}")),
        (0..230).flat_map(|i| {
            (0..230).map(move |j| format!("{{from: n{i}, to: n{j}, when: state.x}}"))
        }),
    );
    assert!(codes(parse(&text)).contains(&"too_large"));
}

#[test]
fn ten_thousand_mistakes_are_all_reported() {
    let text = flow(
        (0..MAX_NODES).map(|i| format!("n{i}: {{uses: ehco, wiht: {{}}, out: {{y{i}: 1}}}}")),
        (1..MAX_NODES).map(|i| format!("n{} -> m{i}", i - 1)),
    );
    assert!(parse(&text).unwrap_err().0.len() > 3 * MAX_NODES);
}

#[test]
fn a_file_over_the_size_limit_is_refused_unread() {
    let text = format!(
        "runstone: 1\nname: x\ndescription: {}\n",
        "x".repeat(9 << 20)
    );
    assert_eq!(codes(parse(&text)), ["too_large"]);
}

#[test]
fn a_hundred_thousand_different_unknown_names_are_told_without_delay() {
    let many: Vec<String> = (0..100_000)
        .map(|i| format!("\"${{{{ state.s{i} }}}}\""))
        .collect();
    let node = format!("n: {{uses: echo, with: {{many: [{}]}}}}", many.join(", "));
    let text = flow([node].into_iter(), std::iter::empty());
    assert_eq!(parse(&text).unwrap_err().0.len(), 100_000);
    let long = format!(
        "n: {{uses: echo, with: {{long: {:?}}}}}",
        "${{ state.x }}".repeat(5_000)
    );
    assert_eq!(
        codes(parse(&flow([long].into_iter(), std::iter::empty()))),
        ["too_large"]
    );
}
