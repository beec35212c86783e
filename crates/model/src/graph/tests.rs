//! The loop nesting of small graphs, drawn by hand.
use super::*;

fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
    Graph::new(nodes, 0, edges).expect("not too deep")
}

#[test]
fn a_diamonds_foot_is_reached_from_both_sides() {
    let g = graph(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
    assert!(g.reaches(1, 3) && g.reaches(2, 3) && g.reaches(0, 3));
    assert!(!g.reaches(1, 2) && !g.reaches(3, 0) && !g.reaches(3, 3));
    assert!(g.loops().is_empty());
}

#[test]
fn inside_a_loop_its_back_edge_does_not_reach() {
    let g = graph(4, &[(0, 1), (1, 2), (2, 1), (2, 3)]);
    assert_eq!(g.loops().len(), 1);
    assert_eq!(
        (g.loops()[0].header, g.loops()[0].body.clone()),
        (1, vec![1, 2])
    );
    assert!(g.is_back_edge(2, 1) && !g.is_back_edge(1, 2));
    assert!(g.reaches(1, 2) && !g.reaches(2, 1));
    assert!(
        g.reaches(1, 3),
        "what is behind the loop is reached from all of it"
    );
}

#[test]
fn loops_nest() {
    // 0 -> 1 -> 2 -> 2, 2 -> 3 -> 1, 3 -> 4
    let g = graph(5, &[(0, 1), (1, 2), (2, 2), (2, 3), (3, 1), (3, 4)]);
    assert_eq!(g.loops().len(), 2);
    assert_eq!(g.loops_around(2).len(), 2);
    assert_eq!(g.common_loop(2, 3), Some(0));
    assert_eq!(g.common_loop(2, 2), Some(1));
    assert_eq!(g.common_loop(2, 4), None);
}

#[test]
fn a_long_chain_does_not_overflow_the_stack() {
    let n = 10_000;
    let mut edges: Vec<_> = (1..n).map(|i| (i - 1, i)).collect();
    edges.push((n - 1, 0));
    let g = graph(n, &edges);
    assert_eq!(g.loops().len(), 1);
    assert!(g.reaches(0, n - 1));
}

#[test]
fn too_deep_nesting_is_refused() {
    let n = MAX_LOOP_DEPTH + 2;
    let mut edges: Vec<_> = (1..n).map(|i| (i - 1, i)).collect();
    edges.extend((0..n).map(|i| (n - 1, i)));
    assert!(matches!(
        Graph::new(n, 0, &edges),
        Err(GraphError::TooDeep { .. })
    ));
}

#[test]
fn what_the_start_does_not_lead_to_is_unreachable() {
    let g = graph(3, &[(0, 1)]);
    assert!(g.reachable(1) && !g.reachable(2));
}
