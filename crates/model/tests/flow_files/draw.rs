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

const CROSSING: &str = r#"
runstone: 1
name: crossing
state: {n: {type: integer, default: 0}}
start: a
nodes: {a: {uses: echo}, b: {uses: echo}, c: {uses: echo}, d: {uses: echo}, e: {uses: echo}, f: {uses: echo}}
edges:
  - a -> b -> d -> e -> f
  - {from: a, to: c, when: "state.n > 3"}
  - {from: a, to: f, when: "state.n > 5"}
  - {from: c, to: e, when: "state.n < 3"}
  - {from: c, to: end, when: "state.n < 3"}
  - {from: c, to: a, when: "state.n == 0", max: 2}
  - {from: b, to: a, when: "state.n == 0 && state.n == 0 && state.n == 1", max: 200}
  - {from: e, to: d, when: "state.n == 0", max: 3}
  - {from: f, to: fail, when: "state.n == 0"}
  - {from: f, to: end, else: true}
"#;

/// The numbers in a text.
fn numbers(text: &str) -> Vec<i64> {
    text.split(|c: char| !c.is_ascii_digit() && c != '-')
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// What stands in an attribute of each element that begins like this.
fn each<'s>(svg: &'s str, element: &'s str, name: &str) -> Vec<&'s str> {
    let name = format!("{name}=\"");
    let found = svg.split(element).skip(1);
    found
        .map(|rest| rest.split_once(&name).unwrap().1.split('"').next().unwrap())
        .collect()
}

#[test]
fn no_line_of_a_picture_runs_behind_a_box() {
    for text in [SHAPES, REVIEW, CROSSING] {
        let svg = draw::svg(&parse(text));
        let corners = each(&svg, "<rect", " x").into_iter();
        let boxes: Vec<(i64, i64)> = corners
            .zip(each(&svg, "<rect", " y"))
            .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
            .collect();
        assert!(boxes.len() > 3);
        // Between two of its points a line stays inside the box that they span.
        for path in each(&svg, "<path class=\"e", " d") {
            let mut from: Option<(i64, i64)> = None;
            for part in path.split_inclusive(|c: char| "MLCQ".contains(c)) {
                let [.., x, y] = numbers(part)[..] else {
                    continue;
                };
                let (x0, y0) = from.unwrap_or((x, y));
                for (left, top) in &boxes {
                    let beside = x.max(x0) <= *left || x.min(x0) >= left + 180;
                    let apart = y.max(y0) <= *top || y.min(y0) >= top + 44;
                    assert!(beside || apart, "{path} crosses the box at {left}, {top}");
                }
                from = Some((x, y));
            }
        }
    }
}

#[test]
fn the_labels_of_back_edges_stand_apart_and_keep_their_max() {
    let svg = draw::svg(&parse(CROSSING));
    for max in ["max 2", "max 200", "max 3"] {
        assert!(svg.contains(&format!(", {max}</text>")), "{max}: {svg}");
    }
    let labels = svg.split("<text class=\"l\"").skip(1);
    let mut heights: Vec<i64> = labels
        .filter(|label| label.contains(", max "))
        .map(|label| numbers(label)[1])
        .collect();
    heights.sort_unstable();
    assert_eq!(heights.len(), 3);
    assert!(
        heights.windows(2).all(|two| two[1] - two[0] >= 14),
        "{heights:?}"
    );
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
