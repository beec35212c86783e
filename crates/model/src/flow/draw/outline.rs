//! Which node is drawn under which: a branch under its fork, a join after all its branches. This is
//! the dominator tree of the flow without its back edges.
use super::{EdgeIx, Flow, NodeIx, forward_order, forward_target};

pub(super) struct Outline {
    /// Per node: the only forward edge into it, when there is just one.
    pub(super) only_edge: Vec<Option<EdgeIx>>,
    /// Per node: the joins that are drawn after its branches.
    pub(super) joins: Vec<Vec<NodeIx>>,
}

impl Outline {
    pub(super) fn of(flow: &Flow) -> Self {
        let count = flow.nodes.len();
        let mut into: Vec<Vec<EdgeIx>> = vec![Vec::new(); count];
        for (ix, edge) in flow.edges.iter().enumerate() {
            if let Some(to) = forward_target(flow, edge) {
                into[to].push(ix);
            }
        }
        // Every node comes after what leads to it, so one pass finds each immediate dominator.
        let mut depth = vec![0_usize; count];
        let mut parent: Vec<NodeIx> = vec![flow.start; count];
        let mut joins = vec![Vec::new(); count];
        let mut only_edge = vec![None; count];
        for node in forward_order(flow) {
            let mut sources = into[node].iter().map(|edge| flow.edges[*edge].from);
            let Some(mut meet) = sources.next() else {
                continue;
            };
            for mut other in sources {
                while meet != other {
                    let step = if depth[meet] >= depth[other] {
                        &mut meet
                    } else {
                        &mut other
                    };
                    *step = parent[*step];
                }
            }
            parent[node] = meet;
            depth[node] = depth[meet] + 1;
            match into[node].as_slice() {
                [only] => only_edge[node] = Some(*only),
                _ => joins[meet].push(node),
            }
        }
        Self { only_edge, joins }
    }
}
