//! Pictures of a flow: text for terminals, Mermaid, Graphviz and SVG. They draw what the flow says;
//! what a run did may be added as a note per node.
mod dot;
mod mermaid;
mod outline;
mod svg;
mod text;

use std::collections::VecDeque;

pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;
pub use text::{text, text_with};

use super::{Edge, EdgeIx, Fires, Flow, Join, Node, NodeIx, Target};

/// What stands beside an edge: its condition and its `max`; empty when it always fires.
fn label(edge: &Edge) -> String {
    let condition = match &edge.fires {
        Fires::Always => String::new(),
        Fires::When(expr) => format!("when {}", expr.source().trim()),
        Fires::Else => "else".to_owned(),
        Fires::Route(Some(expr)) => format!("first match: {}", expr.source().trim()),
        Fires::Route(None) => "otherwise".to_owned(),
        Fires::Error => "on error".to_owned(),
    };
    let condition = condition.split_whitespace().collect::<Vec<_>>().join(" ");
    match edge.max {
        None => condition,
        Some(max) if condition.is_empty() => format!("max {max}"),
        Some(max) => format!("{condition}, max {max}"),
    }
}

/// The node kind and what is special about how the node runs.
fn kind(node: &Node) -> String {
    let mut kind = node.uses.clone();
    if node.for_each.is_some() {
        kind.push_str(", for each item");
    }
    if node.condition.is_some() {
        kind.push_str(", if …");
    }
    match node.join {
        Join::All => {}
        Join::Each => kind.push_str(", join: each"),
        Join::First => kind.push_str(", join: first"),
    }
    kind
}

/// All edges that leave a node, the error edge last.
fn leaving(node: &Node) -> impl Iterator<Item = EdgeIx> + '_ {
    node.outgoing.iter().copied().chain(node.error_edge)
}

/// Whether the edge leads back to where a round of its loop begins.
fn is_back(flow: &Flow, edge: &Edge) -> bool {
    matches!(edge.to, Target::Node(to) if flow.graph.is_back_edge(edge.from, to))
}

/// The nodes in an order in which every edge that is not a back edge leads forward.
fn forward_order(flow: &Flow) -> Vec<NodeIx> {
    let mut waiting = vec![0_usize; flow.nodes.len()];
    for to in flow
        .edges
        .iter()
        .filter_map(|edge| forward_target(flow, edge))
    {
        waiting[to] += 1;
    }
    let mut ready: VecDeque<NodeIx> = (0..flow.nodes.len())
        .filter(|node| waiting[*node] == 0)
        .collect();
    let mut order = Vec::with_capacity(flow.nodes.len());
    while let Some(node) = ready.pop_front() {
        order.push(node);
        for edge in leaving(&flow.nodes[node]) {
            if let Some(to) = forward_target(flow, &flow.edges[edge]) {
                waiting[to] -= 1;
                if waiting[to] == 0 {
                    ready.push_back(to);
                }
            }
        }
    }
    order
}

fn forward_target(flow: &Flow, edge: &Edge) -> Option<NodeIx> {
    match edge.to {
        Target::Node(to) if !is_back(flow, edge) => Some(to),
        _ => None,
    }
}

fn target_name(flow: &Flow, to: Target) -> &str {
    match to {
        Target::Node(ix) => &flow.nodes[ix].name,
        Target::End => "end",
        Target::Fail => "fail",
    }
}
