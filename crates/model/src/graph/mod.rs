//! Graph analysis of a flow: loop nesting and reachability, computed once when a flow is read. The
//! join rule asks it; it knows nothing of expressions or runs.
//!
//! A loop is a strongly connected component. Its header is the member that a depth-first search
//! from the start (edges in declaration order) meets first; its back edges are the edges inside it
//! that end at the header. Taking those away leaves the body, which is divided again the same way.
mod bits;
mod divide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::bits::Bits;

/// Loops nested deeper than this are refused.
pub const MAX_LOOP_DEPTH: usize = 32;

/// Index of a loop in [`Graph::loops`], outer loops before inner ones.
pub type LoopIx = usize;

/// Loops, levels and reachability of one flow.
#[derive(Debug)]
pub struct Graph {
    loops: Vec<Loop>,
    levels: Vec<Level>,
    /// Per node: the levels it is in, outermost first, with its part of each.
    paths: Vec<Vec<(u32, u32)>>,
    /// Per node: the loops it is in, outermost first.
    inside: Vec<Vec<LoopIx>>,
    loop_of_header: BTreeMap<usize, LoopIx>,
    preorder: Vec<Option<u32>>,
}

/// One loop.
#[derive(Debug)]
pub struct Loop {
    /// Where its rounds begin.
    pub header: usize,
    /// Its members in ascending order, the header included.
    pub body: Vec<usize>,
    /// How many loops are around it.
    pub depth: usize,
}

/// One division of a set of nodes into parts: which part leads to which. A part has a lower number
/// than those that lead to it.
#[derive(Debug)]
struct Level {
    reach: Vec<Bits>,
}

/// Why a graph is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// Loops are nested deeper than [`MAX_LOOP_DEPTH`].
    #[error("loops are nested more than {MAX_LOOP_DEPTH} deep (around node {node})")]
    TooDeep {
        /// A node in the innermost loop.
        node: usize,
    },
}

impl Graph {
    /// Analyses the graph with nodes `0..node_count`, beginning at `start`. `edges` in declaration
    /// order; double edges count once.
    pub fn new(
        node_count: usize,
        start: usize,
        edges: &[(usize, usize)],
    ) -> Result<Self, GraphError> {
        let preorder = divide::preorder(node_count, start, edges);
        let mut graph = Self {
            loops: Vec::new(),
            levels: Vec::new(),
            paths: vec![Vec::new(); node_count],
            inside: vec![Vec::new(); node_count],
            loop_of_header: BTreeMap::new(),
            preorder,
        };
        graph.divide_all(edges)?;
        Ok(graph)
    }

    /// The loops, outer ones before the loops inside them.
    #[must_use]
    pub fn loops(&self) -> &[Loop] {
        &self.loops
    }

    /// The loops around `node`, outermost first.
    #[must_use]
    pub fn loops_around(&self, node: usize) -> &[LoopIx] {
        &self.inside[node]
    }

    /// Whether `node` is in loop `l`.
    #[must_use]
    pub fn in_loop(&self, l: LoopIx, node: usize) -> bool {
        self.inside[node].contains(&l)
    }

    /// The loop whose rounds begin at `node`.
    #[must_use]
    pub fn loop_of_header(&self, node: usize) -> Option<LoopIx> {
        self.loop_of_header.get(&node).copied()
    }

    /// The innermost loop that holds both nodes.
    #[must_use]
    pub fn common_loop(&self, a: usize, b: usize) -> Option<LoopIx> {
        let (a, b) = (&self.inside[a], &self.inside[b]);
        a.iter()
            .zip(b)
            .take_while(|(x, y)| x == y)
            .map(|(x, _)| *x)
            .last()
    }

    /// Whether the edge begins a new round: it ends at the header of a loop that holds both ends.
    #[must_use]
    pub fn is_back_edge(&self, from: usize, to: usize) -> bool {
        self.loop_of_header(to)
            .is_some_and(|l| self.in_loop(l, from))
    }

    /// Whether the completion of `a` can still lead to `b` inside the innermost loop that holds
    /// both, not using that loop's back edges.
    #[must_use]
    pub fn reaches(&self, a: usize, b: usize) -> bool {
        // The join rule asks this for every pair of what waits at the same time.
        let common = self.paths[a]
            .iter()
            .zip(&self.paths[b])
            .take_while(|((x, _), (y, _))| x == y)
            .last();
        common.is_some_and(|((level, from), (_, to))| {
            from > to && self.levels[*level as usize].reach[*from as usize].contains(*to as usize)
        })
    }

    /// Whether a run can get to `node` at all.
    #[must_use]
    pub fn reachable(&self, node: usize) -> bool {
        self.preorder[node].is_some()
    }
}
