//! Checks that need the whole graph: unreachable nodes, cycles without a way out, `max` and `join`
//! in places where they cannot mean what they say.
use super::{
    Edge, Fires, Join, Node, NodeIx, Target,
    edges::Edges,
    nodes::RawNode,
    reader::{Path, Reader},
};
use crate::graph::Graph;

/// Nodes of a cycle that are named in a message.
const NAMED: usize = 8;

/// The edges between nodes as the graph analysis takes them.
pub(super) fn pairs(edges: &[Edge]) -> Vec<(NodeIx, NodeIx)> {
    edges
        .iter()
        .filter_map(|edge| match edge.to {
            Target::Node(to) => Some((edge.from, to)),
            Target::End | Target::Fail => None,
        })
        .collect()
}

pub(super) fn check(
    r: &mut Reader<'_>,
    graph: &Graph,
    nodes: &[Node],
    edges: &Edges,
    raw: &[RawNode<'_>],
    start: NodeIx,
) {
    if !edges.incomplete {
        unreachable(r, graph, nodes, raw, start);
    }
    endless(r, nodes, edges);
    for (ix, edge) in edges.list.iter().enumerate() {
        let Target::Node(to) = edge.to else {
            misplaced_max(r, nodes, edges, ix);
            continue;
        };
        if graph.common_loop(edge.from, to).is_none() {
            misplaced_max(r, nodes, edges, ix);
        }
        after_loop(r, graph, nodes, edges, edge, to, raw);
    }
    for (ix, node) in nodes.iter().enumerate() {
        if node.join == Join::Each && graph.loop_of_header(ix).is_some() {
            let at = raw[ix].doc.get("join").map_or(raw[ix].at, |d| d.at);
            r.problem(
                "join_each_on_loop",
                at,
                format!("nodes.{}.join", node.name),
                format!(
                    "a loop begins at `{}`, so it cannot start once for each edge",
                    node.name
                ),
                "remove `join: each`, or put it on a node before the loop",
            );
        }
    }
}

fn unreachable(
    r: &mut Reader<'_>,
    graph: &Graph,
    nodes: &[Node],
    raw: &[RawNode<'_>],
    start: NodeIx,
) {
    let all = Path::ROOT.key("nodes");
    for (ix, node) in nodes.iter().enumerate() {
        if graph.reachable(ix) {
            continue;
        }
        let message = format!("no edge leads from the start to `{}`", node.name);
        let mend = format!(
            "add an edge to it (the flow starts at `{}`), or remove the node",
            nodes[start].name
        );
        r.problem(
            "unreachable_node",
            raw[ix].at,
            all.key(&node.name),
            message,
            mend,
        );
    }
}

fn misplaced_max(r: &mut Reader<'_>, nodes: &[Node], edges: &Edges, ix: usize) {
    if edges.list[ix].max.is_some() && !edges.incomplete {
        let origin = edges.origin[ix];
        let message = "`max` counts the rounds of a loop, but this edge is not inside one";
        let mend = "remove `max`, or lead the edge back to an earlier node";
        r.problem(
            "max_outside_loop",
            origin.at,
            origin.path(nodes),
            message,
            mend,
        );
    }
}

/// A hint: fed by every round of a loop but outside it, the node starts once, after the loop.
fn after_loop(
    r: &mut Reader<'_>,
    graph: &Graph,
    nodes: &[Node],
    edges: &Edges,
    edge: &Edge,
    to: NodeIx,
    raw: &[RawNode<'_>],
) {
    if nodes[to].join != Join::All || !always(nodes, edges, edge) {
        return;
    }
    // Loops are nested, so the first that does not hold the target is the one it stands behind.
    let left = graph
        .loops_around(edge.from)
        .iter()
        .find(|l| !graph.in_loop(**l, to));
    let Some(left) = left else { return };
    let header = &nodes[graph.loops()[*left].header].name;
    let (from, to_name) = (&nodes[edge.from].name, &nodes[to].name);
    let path = format!("nodes.{to_name}");
    let message = format!(
        "`{to_name}` is fed by every round of the loop at `{header}` (from `{from}`) but stands \
         outside it: it starts once, after the loop"
    );
    let mend = "if it should start in every round, give it `join: each`";
    r.warning("once_after_loop", raw[to].at, path, message, mend);
}

/// Whether the edge fires whenever its node completes.
pub(super) fn always(nodes: &[Node], edges: &Edges, edge: &Edge) -> bool {
    if edge.max.is_some() {
        return false;
    }
    match &edge.fires {
        Fires::Always => true,
        Fires::Route(None) => nodes[edge.from]
            .outgoing
            .first()
            .is_some_and(|first| std::ptr::eq(&edges.list[*first], edge)),
        Fires::Route(Some(_)) | Fires::When(_) | Fires::Else | Fires::Error => false,
    }
}

/// Cycles made only of edges that always fire: a run that enters one never ends.
fn endless(r: &mut Reader<'_>, nodes: &[Node], edges: &Edges) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnPath,
        Done,
    }
    let mut seen = vec![Seen::No; nodes.len()];
    for root in 0..nodes.len() {
        if seen[root] != Seen::No {
            continue;
        }
        // The path from the root, each node with the number of its edges already followed.
        let mut path: Vec<(NodeIx, usize)> = vec![(root, 0)];
        seen[root] = Seen::OnPath;
        while let Some((node, followed)) = path.last_mut() {
            let Some(ix) = nodes[*node].outgoing.get(*followed) else {
                seen[*node] = Seen::Done;
                path.pop();
                continue;
            };
            *followed += 1;
            let edge = &edges.list[*ix];
            let Target::Node(to) = edge.to else { continue };
            if !always(nodes, edges, edge) {
                continue;
            }
            match seen[to] {
                Seen::No => {
                    seen[to] = Seen::OnPath;
                    path.push((to, 0));
                }
                Seen::OnPath => {
                    let from = path.iter().position(|(n, _)| *n == to).unwrap_or(0);
                    report_endless(r, nodes, edges, *ix, &path[from..]);
                }
                Seen::Done => {}
            }
        }
    }
}

fn report_endless(
    r: &mut Reader<'_>,
    nodes: &[Node],
    edges: &Edges,
    closing: usize,
    cycle: &[(NodeIx, usize)],
) {
    let mut names: Vec<&str> = cycle.iter().map(|(n, _)| nodes[*n].name.as_str()).collect();
    if names.len() > NAMED {
        names.truncate(NAMED);
        names.push("…");
    }
    names.push(&nodes[cycle[0].0].name);
    let origin = edges.origin[closing];
    r.problem(
        "endless_cycle",
        origin.at,
        origin.path(nodes),
        format!(
            "the cycle {} never ends: each of its edges always fires",
            names.join(" -> ")
        ),
        "give one of its edges a `when` or a `max`",
    );
}
