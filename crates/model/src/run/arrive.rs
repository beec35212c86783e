//! Arrivals and starts: the join rule. Which node may start is decided here and only here; it
//! depends on what is running and pending, never on what was faster.
use std::sync::Arc;

use super::{
    clock::Clock,
    state::{Active, Arrival, Effect, Finished, Pending, RunState, StepId},
};
use crate::{
    failure::Failure,
    flow::{EdgeIx, Fires, Join, NodeIx, Target},
};

impl RunState {
    /// The edges in `fired` have fired out of the finished step `source`.
    pub(super) fn arrive(&mut self, source: usize, fired: &[EdgeIx]) {
        let flow = Arc::clone(&self.flow);
        for &at in fired {
            let Some(edge) = flow.edges.get(at) else {
                continue;
            };
            if edge.max.is_some() {
                *self.fired.entry(at).or_insert(0) += 1;
            }
            let error = match edge.fires {
                Fires::Error => self
                    .history
                    .get(source)
                    .and_then(|done| done.failure.clone()),
                Fires::Always | Fires::When(_) | Fires::Else | Fires::Route(_) => None,
            };
            let Target::Node(node) = edge.to else {
                continue;
            };
            match flow.nodes[node].join {
                Join::All => self.hold(node, edge.from, source, error),
                Join::Each => {
                    let port = self.ports.of(node, at);
                    self.arrivals.push_back(Arrival {
                        node,
                        port,
                        source,
                        error,
                    });
                }
                Join::First => {
                    if self.raced.insert(node) {
                        self.cancel_losers(node);
                        let port = self.ports.of(node, at);
                        self.arrivals.push_back(Arrival {
                            node,
                            port,
                            source,
                            error,
                        });
                    }
                }
            }
        }
    }

    fn hold(&mut self, node: NodeIx, from: NodeIx, source: usize, error: Option<Arc<Failure>>) {
        let back = self.flow.graph.is_back_edge(from, node);
        let pending = self.pending.entry(node).or_insert(Pending {
            round: back,
            sources: Vec::new(),
            error: None,
            held_by: None,
        });
        pending.round &= back;
        pending.sources.push(source);
        pending.held_by = None;
        if error.is_some() {
            pending.error = error;
        }
    }

    /// Starts everything that may start.
    pub(super) fn settle(&mut self) {
        for _ in 0..self.arrivals.len() {
            let Some(arrival) = self.arrivals.pop_front() else {
                break;
            };
            if self.active.iter().any(|active| active.port == arrival.port) {
                self.arrivals.push_back(arrival);
            } else {
                let Arrival {
                    node,
                    port,
                    source,
                    error,
                } = arrival;
                self.begin(node, port, &[source], &[], error);
            }
        }
        let nodes: Vec<NodeIx> = self.pending.keys().copied().collect();
        for node in nodes {
            match self.holder(node) {
                Some(by) => {
                    if let Some(pending) = self.pending.get_mut(&node) {
                        pending.held_by = Some(by);
                    }
                }
                None => self.begin_pending(node),
            }
        }
    }

    /// A node that holds up the pending `node`.
    fn holder(&self, node: NodeIx) -> Option<NodeIx> {
        let pending = self.pending.get(&node)?;
        // Most of what waits still waits for the same reason.
        if let Some(by) = pending.held_by {
            let alive = self.active.iter().any(|active| active.node == by);
            let queued = self.pending.get(&by);
            if (alive && self.holds(by, None, node, pending.round))
                || queued
                    .is_some_and(|other| self.holds(by, Some(other.round), node, pending.round))
            {
                return Some(by);
            }
        }
        let running = self.active.iter().map(|active| (active.node, None));
        let queued = self.arrivals.iter().map(|arrival| (arrival.node, None));
        let others = self
            .pending
            .iter()
            .map(|(other, p)| (*other, Some(p.round)));
        running
            .chain(queued)
            .chain(others)
            .find(|(by, kind)| self.holds(*by, *kind, node, pending.round))
            .map(|(by, _)| by)
    }

    /// Whether `by` (running, or pending with `Some(round)`) holds up the pending `node`.
    fn holds(&self, by: NodeIx, by_pending: Option<bool>, node: NodeIx, round: bool) -> bool {
        let graph = &self.flow.graph;
        if by == node {
            return by_pending.is_none(); // its last start is still running
        }
        if round {
            // Rounds of a loop never overlap.
            return graph
                .loop_of_header(node)
                .is_some_and(|l| graph.in_loop(l, by));
        }
        if by_pending == Some(true)
            && graph
                .loop_of_header(by)
                .is_some_and(|l| graph.in_loop(l, node))
        {
            return false; // a new round does not hold up what still belongs to the old one
        }
        graph.reaches(by, node)
    }

    fn begin_pending(&mut self, node: NodeIx) {
        let Some(pending) = self.pending.remove(&node) else {
            return;
        };
        let flow = Arc::clone(&self.flow);
        // A loop counts as one node to what stands outside it, and a round as one to the next:
        // whoever waited for all of it sees what all of it wrote.
        let mut whole: Vec<usize> = Vec::new();
        if self.history.len() > 1 {
            if pending.round {
                whole.extend(flow.graph.loop_of_header(node));
            }
            for source in &pending.sources {
                let from = self.history[*source].node;
                let around = flow.graph.loops_around(from).iter();
                whole.extend(around.filter(|l| !flow.graph.in_loop(**l, node)));
            }
            whole.sort_unstable();
            whole.dedup();
        }
        if pending.round
            && let Some(l) = flow.graph.loop_of_header(node)
        {
            self.raced.retain(|other| !flow.graph.in_loop(l, *other));
        }
        let port = u32::try_from(node).unwrap_or(u32::MAX);
        self.begin(node, port, &pending.sources, &whole, pending.error);
    }

    fn begin(
        &mut self,
        node: NodeIx,
        port: u32,
        sources: &[usize],
        whole: &[usize],
        error: Option<Arc<Failure>>,
    ) {
        self.enter_loops(node, sources);
        let number = self.starts[port as usize] + 1;
        self.starts[port as usize] = number;
        self.started += 1;
        let mut past: Vec<usize> = sources.to_vec();
        if !whole.is_empty() {
            let graph = &self.flow.graph;
            past.extend((0..self.history.len()).filter(|at| {
                whole
                    .iter()
                    .any(|l| graph.in_loop(*l, self.history[*at].node))
            }));
        }
        past.extend(
            (0..self.history.len())
                .rev()
                .find(|at| self.history[*at].port == port),
        );
        past.sort_unstable();
        past.dedup();
        let (clock, depth) = past
            .iter()
            .fold((Clock::default(), 0), |(clock, depth), at| {
                let done = &self.history[*at];
                (clock.union(&done.clock), depth.max(done.depth + 1))
            });
        let view = self.view_of(&past, &clock);
        let clock = self
            .advance_trunk(&clock)
            .unwrap_or(clock)
            .with(port, number);
        let id = StepId(self.next_id);
        self.next_id += 1;
        let visit = self.ports.visit(node, port, number);
        self.active.push(Active {
            id,
            node,
            visit,
            error,
            attempts: std::collections::BTreeMap::new(),
            waits: std::collections::BTreeMap::new(),
            items: None,
            list: None,
            view,
            port,
            number,
            depth,
            clock,
        });
        self.effects.push(Effect::Start(id));
    }

    /// When the step about to start is all that lives and has all of the history in its past, the
    /// history is folded away: the step owns the trunk until it ends.
    fn advance_trunk(&mut self, clock: &Clock) -> Option<Clock> {
        let covered = |at: &Finished| clock.get(at.port, &self.trunk.clock) >= at.number;
        if !self.is_idle() || !self.history.iter().all(covered) {
            return None;
        }
        for (port, number) in clock.entries() {
            self.trunk.clock[*port as usize] = (*number).max(self.trunk.clock[*port as usize]);
        }
        self.history.clear();
        self.trunk.view = None;
        Some(Clock::default())
    }

    /// Counters of a loop start afresh when it is entered from outside.
    fn enter_loops(&mut self, node: NodeIx, sources: &[usize]) {
        if self.fired.is_empty() {
            return;
        }
        let flow = Arc::clone(&self.flow);
        for &l in flow.graph.loops_around(node) {
            let outside = |at: &usize| !flow.graph.in_loop(l, self.history[*at].node);
            if sources.is_empty() || sources.iter().any(outside) {
                self.fired.retain(|edge, _| match flow.edges[*edge].to {
                    Target::Node(to) => {
                        flow.graph.common_loop(flow.edges[*edge].from, to) != Some(l)
                    }
                    Target::End | Target::Fail => true,
                });
            }
        }
    }

    /// `join: first` has its winner: stops what can only lead to `node`.
    fn cancel_losers(&mut self, node: NodeIx) {
        let only = self.only_way_to(node);
        let (lost, kept): (Vec<Active>, Vec<Active>) = std::mem::take(&mut self.active)
            .into_iter()
            .partition(|active| only[active.node]);
        self.active = kept;
        self.effects
            .extend(lost.into_iter().map(|active| Effect::Cancel(active.id)));
        self.pending.retain(|other, _| !only[*other]);
        self.arrivals.retain(|arrival| !only[arrival.node]);
    }

    /// The nodes from which every way leads to `node`.
    fn only_way_to(&self, node: NodeIx) -> Vec<bool> {
        let flow = &self.flow;
        let mut only: Vec<bool> = (0..flow.nodes.len())
            .map(|n| n != node && flow.graph.reaches(n, node))
            .collect();
        loop {
            let mut changed = false;
            for at in 0..only.len() {
                let leads = |edge: &EdgeIx| match flow.edges[*edge].to {
                    Target::Node(to) => to == node || only[to],
                    Target::End | Target::Fail => false,
                };
                if only[at] && !flow.nodes[at].outgoing.iter().all(leads) {
                    only[at] = false;
                    changed = true;
                }
            }
            if !changed {
                return only;
            }
        }
    }
}
