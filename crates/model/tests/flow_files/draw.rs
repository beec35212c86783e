//! Pictures of flows as people see them.
use runstone_model::flow::{Flow, draw};

use crate::kinds::{REVIEW, TestKinds};

fn parse(text: &str) -> Flow {
    Flow::parse(text, &TestKinds)
        .map_err(|p| p.render())
        .unwrap()
}

const SHAPES: &str = r#"
runstone: 1
name: shapes
nodes:
  a: {uses: log, with: {message: go}}
  b: {uses: echo}
  b2: {uses: echo, for_each: [1, 2]}
  c: {uses: http, with: {url: "https://example.org"}, on_error: {goto: rescue}}
  d: {uses: echo, join: first}
  pick:
    uses: echo
    route:
      - {when: "result.n > 3 && \"x\" != '<&>'", to: big}
      - {to: fail, message: too small}
  big: {uses: echo}
  rescue: {uses: log, with: {message: "${{ error.message }}"}}
edges:
  - a -> b -> b2 -> d
  - a -> c -> d -> pick
  - big -> end
"#;

#[test]
fn text_shows_branches_joins_and_loops() {
    insta::assert_snapshot!("text_review", draw::text(&parse(REVIEW)));
    insta::assert_snapshot!("text_shapes", draw::text(&parse(SHAPES)));
}

#[test]
fn text_carries_a_note_behind_each_node() {
    let flow = parse(REVIEW);
    let drawn = draw::text_with(&flow, &|ix| {
        (ix == 1).then(|| "✓ 2 visits, 31 ms".to_owned())
    });
    assert!(
        drawn.contains("suggest  (code.suggest)  ✓ 2 visits, 31 ms\n"),
        "{drawn}"
    );
}

#[test]
fn mermaid_and_dot_escape_what_they_quote() {
    insta::assert_snapshot!("mermaid_shapes", draw::mermaid(&parse(SHAPES)));
    insta::assert_snapshot!("dot_shapes", draw::dot(&parse(SHAPES)));
}

#[test]
fn svg_is_well_formed_and_names_every_node() {
    let flow = parse(SHAPES);
    let svg = draw::svg(&flow);
    for node in &flow.nodes {
        assert!(
            svg.contains(&format!(">{}</text>", node.name)),
            "{}",
            node.name
        );
    }
    assert!(!svg.contains("'<&>'"), "conditions are escaped");
    assert_eq!(svg.matches('<').count(), svg.matches('>').count());
    insta::assert_snapshot!("svg_review", draw::svg(&parse(REVIEW)));
}

#[test]
fn a_ladder_of_forks_is_drawn_without_endless_indentation() {
    let mut text = "runstone: 1\nname: ladder\nnodes:\n".to_owned();
    let mut edges = String::new();
    for i in 0..300 {
        text += &format!("  n{i}: {{uses: echo}}\n  m{i}: {{uses: echo}}\n");
        edges += &format!("  - n{i} -> m{i}\n");
        if i > 0 {
            edges += &format!("  - n{} -> n{i}\n", i - 1);
        }
    }
    let drawn = draw::text(&parse(&format!("{text}edges:\n{edges}")));
    assert!(drawn.lines().all(|line| line.chars().count() < 100));
    for i in 0..300 {
        assert!(
            drawn.contains(&format!("n{i}  (echo)")) && drawn.contains(&format!("m{i}  (echo)"))
        );
    }
}
