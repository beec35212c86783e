//! Writes that would lose each other: two branches that surely run at the same time, or the items
//! of a map, setting one state key whose reducer is `replace`. What cannot be known from the file
//! the run finds out (`write_conflict`).
use std::collections::BTreeMap;

use super::{
    Node, NodeIx, Out, StateKey, Target, check_graph::always, doc::Content, edges::Edges,
    names::Names, nodes::RawNode, reader::Reader,
};
use crate::{graph::Graph, reducer::Reducer};

/// Steps of work for one flow; the check is a service, so it stops there instead of taking long.
const BUDGET: usize = 2_000_000;
/// Branches of one fork that are told apart.
const BRANCHES: usize = 64;

pub(super) fn check(
    r: &mut Reader<'_>,
    graph: &Graph,
    nodes: &[Node],
    edges: &Edges,
    names: &Names<'_>,
    raw: &[RawNode<'_>],
) {
    let state = names.keys;
    let writes: Vec<Vec<usize>> = raw
        .iter()
        .zip(nodes)
        .map(|(raw, node)| replaced_keys(raw, node, names))
        .collect();
    items(r, nodes, state, raw, &writes);
    let mut search = Search {
        graph,
        nodes,
        edges,
        budget: BUDGET,
    };
    for fork in 0..nodes.len() {
        for (key, a, b) in search.conflicts(fork, &writes) {
            let key = &state[key].name;
            let (first, second) = (&nodes[a].name, &nodes[b].name);
            r.problem(
                "parallel_writes",
                raw[b].at,
                format!("nodes.{second}"),
                format!(
                    "`{first}` and `{second}` run at the same time after `{}` and both set the \
                     state key `{key}`",
                    nodes[fork].name
                ),
                format!(
                    "give `{key}` another reducer, or write it in one of the two, or after both"
                ),
            );
        }
        if search.budget == 0 {
            break;
        }
    }
}

/// The declared keys with reducer `replace` that the node sets by name.
fn replaced_keys(raw: &RawNode<'_>, node: &Node, names: &Names<'_>) -> Vec<usize> {
    let replaces = |key: &usize| names.keys[*key].reducer == Reducer::Replace;
    match &node.out {
        Out::Keys(keys) => keys.iter().map(|(key, _)| *key).filter(replaces).collect(),
        Out::With => match raw.doc.get("with").map(|with| &with.content) {
            Some(Content::Map(entries)) => entries
                .iter()
                .filter_map(|e| names.state.get(&e.key).copied())
                .filter(replaces)
                .collect(),
            _ => Vec::new(),
        },
        Out::None | Out::Object(_) => Vec::new(),
    }
}

fn items(
    r: &mut Reader<'_>,
    nodes: &[Node],
    state: &[StateKey],
    raw: &[RawNode<'_>],
    writes: &[Vec<usize>],
) {
    for (ix, node) in nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.for_each.is_some())
    {
        let part = if matches!(node.out, Out::With) {
            "with"
        } else {
            "out"
        };
        for key in &writes[ix] {
            let key = &state[*key].name;
            let at = raw[ix]
                .doc
                .get(part)
                .and_then(|d| d.key_place(key))
                .unwrap_or(raw[ix].at);
            r.problem(
                "item_writes",
                at,
                format!("nodes.{}.{part}.{key}", node.name),
                format!(
                    "every item of `{}` sets `{key}`, so only one would remain",
                    node.name
                ),
                format!(
                    "give `{key}` the reducer `append`, or read the list `results.{}`",
                    node.name
                ),
            );
        }
    }
}

struct Search<'a> {
    graph: &'a Graph,
    nodes: &'a [Node],
    edges: &'a Edges,
    budget: usize,
}

impl Search<'_> {
    fn spend(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    /// Targets of the edges that fire whenever the node completes.
    fn sure(&self, node: NodeIx) -> Vec<NodeIx> {
        self.nodes[node]
            .outgoing
            .iter()
            .map(|ix| &self.edges.list[*ix])
            .filter(|edge| always(self.nodes, self.edges, edge))
            .filter_map(|edge| match edge.to {
                Target::Node(to) => Some(to),
                Target::End | Target::Fail => None,
            })
            .collect()
    }

    /// For each key at most one pair of nodes on different branches of `fork` that both set it.
    fn conflicts(&mut self, fork: NodeIx, writes: &[Vec<usize>]) -> Vec<(usize, NodeIx, NodeIx)> {
        let mut branches = self.sure(fork);
        branches.truncate(BRANCHES);
        if branches.len() < 2 {
            return Vec::new();
        }
        // Per node surely started: the branches that lead to it, as bits.
        let mut marks: BTreeMap<NodeIx, u64> = BTreeMap::new();
        let mut todo: Vec<NodeIx> = Vec::new();
        for (i, branch) in branches.into_iter().enumerate() {
            *marks.entry(branch).or_default() |= 1 << i;
            todo.push(branch);
        }
        while let Some(node) = todo.pop() {
            let mark = marks[&node];
            for to in self.sure(node) {
                if !self.spend() {
                    return Vec::new();
                }
                let known = marks.entry(to).or_default();
                if to != fork && *known | mark != *known {
                    *known |= mark;
                    todo.push(to);
                }
            }
        }
        self.pairs(&marks, writes)
    }

    fn pairs(
        &mut self,
        marks: &BTreeMap<NodeIx, u64>,
        writes: &[Vec<usize>],
    ) -> Vec<(usize, NodeIx, NodeIx)> {
        let mut writers: BTreeMap<usize, Vec<(NodeIx, u64)>> = BTreeMap::new();
        for (node, mark) in marks {
            if self.nodes[*node].condition.is_none() {
                for key in &writes[*node] {
                    writers.entry(*key).or_default().push((*node, *mark));
                }
            }
        }
        let mut found = Vec::new();
        for (key, writers) in writers {
            'key: for (i, (b, b_mark)) in writers.iter().enumerate() {
                for (a, a_mark) in &writers[..i] {
                    if !self.spend() {
                        return found;
                    }
                    let apart = a_mark & b_mark == 0
                        && !self.graph.reaches(*a, *b)
                        && !self.graph.reaches(*b, *a);
                    if apart {
                        found.push((key, *a, *b));
                        break 'key;
                    }
                }
            }
        }
        found
    }
}
