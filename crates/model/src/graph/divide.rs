//! Dividing a graph into nested loops. Iterative throughout: a flow may have ten thousand nodes in
//! one chain.
use std::collections::BTreeMap;

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use super::{Graph, GraphError, Level, Loop, MAX_LOOP_DEPTH, bits::Bits};

type Edges = Vec<(usize, usize)>;

/// The order in which a depth-first search from `start` meets the nodes.
pub(super) fn preorder(
    node_count: usize,
    start: usize,
    edges: &[(usize, usize)],
) -> Vec<Option<u32>> {
    let mut out = vec![Vec::new(); node_count];
    for &(from, to) in edges {
        out[from].push(to);
    }
    let mut order = vec![None; node_count];
    if start >= node_count {
        return order;
    }
    let mut next = 1;
    order[start] = Some(0);
    let mut stack = vec![(start, 0)];
    while let Some((node, at)) = stack.last_mut() {
        let Some(&to) = out[*node].get(*at) else {
            stack.pop();
            continue;
        };
        *at += 1;
        if order[to].is_none() {
            order[to] = Some(next);
            next += 1;
            stack.push((to, 0));
        }
    }
    order
}

/// A set of nodes still to divide.
struct Work {
    nodes: Vec<usize>,
    edges: Edges,
    depth: usize,
}

impl Graph {
    pub(super) fn divide_all(&mut self, edges: &[(usize, usize)]) -> Result<(), GraphError> {
        let mut edges = edges.to_vec();
        edges.sort_unstable();
        edges.dedup();
        let nodes = (0..self.paths.len()).collect();
        // Outer before inner; the queue keeps siblings in order too.
        let mut queue = std::collections::VecDeque::from([Work {
            nodes,
            edges,
            depth: 0,
        }]);
        while let Some(work) = queue.pop_front() {
            let depth = work.depth;
            for (header, body, edges) in self.divide(work) {
                if depth >= MAX_LOOP_DEPTH {
                    return Err(GraphError::TooDeep { node: header });
                }
                let at = self.loops.len();
                for &node in &body {
                    self.inside[node].push(at);
                }
                self.loop_of_header.entry(header).or_insert(at);
                self.loops.push(Loop {
                    header,
                    body: body.clone(),
                    depth,
                });
                queue.push_back(Work {
                    nodes: body,
                    edges,
                    depth: depth + 1,
                });
            }
        }
        Ok(())
    }

    /// Adds one level and gives its loops: header, body, edges without the back edges.
    fn divide(&mut self, work: Work) -> Vec<(usize, Vec<usize>, Edges)> {
        let Work { nodes, edges, .. } = work;
        let local: BTreeMap<usize, usize> = nodes
            .iter()
            .enumerate()
            .map(|(at, &node)| (node, at))
            .collect();
        let mut graph = DiGraph::<(), ()>::with_capacity(nodes.len(), edges.len());
        let ids: Vec<_> = nodes.iter().map(|_| graph.add_node(())).collect();
        for (from, to) in &edges {
            graph.add_edge(ids[local[from]], ids[local[to]], ());
        }
        // Reverse topological order: what a part leads to comes before it.
        let parts = kosaraju_scc(&graph);
        let mut part_of = vec![0; nodes.len()];
        for (part, members) in parts.iter().enumerate() {
            for member in members {
                part_of[member.index()] = part;
            }
        }
        let mut inner: Vec<Edges> = vec![Vec::new(); parts.len()];
        let mut outer: Vec<Vec<usize>> = vec![Vec::new(); parts.len()];
        for &(from, to) in &edges {
            let (a, b) = (part_of[local[&from]], part_of[local[&to]]);
            if a == b {
                inner[a].push((from, to));
            } else {
                outer[a].push(b);
            }
        }
        let mut reach: Vec<Bits> = Vec::with_capacity(parts.len());
        for next in &outer {
            let mut bits = Bits::new(parts.len());
            for &to in next {
                bits.insert(to);
                bits.union(&reach[to]);
            }
            reach.push(bits);
        }
        let level = u32::try_from(self.levels.len()).unwrap_or(u32::MAX);
        for (&node, part) in nodes.iter().zip(part_of) {
            let part = u32::try_from(part).unwrap_or(u32::MAX);
            self.paths[node].push((level, part));
        }
        self.levels.push(Level { reach });
        let mut found = Vec::new();
        for (part, edges) in inner
            .into_iter()
            .enumerate()
            .filter(|(_, edges)| !edges.is_empty())
        {
            let mut body: Vec<usize> = parts[part].iter().map(|id| nodes[id.index()]).collect();
            body.sort_unstable();
            let first = |node: &&usize| (self.preorder[**node].unwrap_or(u32::MAX), **node);
            let Some(&header) = body.iter().min_by_key(first) else {
                continue;
            };
            let edges = edges.into_iter().filter(|(_, to)| *to != header).collect();
            found.push((header, body, edges));
        }
        // Declaration order of the headers, so that loop numbers do not depend on the algorithm.
        found.sort_by_key(|(header, ..)| *header);
        found
    }
}
