//! The folded run: what is running, what is pending, and what each step sees.
//!
//! A *port* is where starts of a node are counted: one per node, and for `join: each` one per
//! incoming edge, so that start numbers never depend on which branch was faster. The *trunk* is the
//! part of the past that everything alive descends from; it is folded into one view. What finished
//! since then is the *history*. A flow without parallel branches has a history of one step and its
//! view is changed in place.
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde_json::Value;

use super::{Status, clock::Clock, entry::RunEnd, scope::RunInfo, view::View, wait::Waits};
use crate::{
    failure::Failure,
    flow::{EdgeIx, Flow, Join, NodeIx, Target},
    time::Timestamp,
};

/// Names a start within this state; not kept in the journal (see `StepRef` for that).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u64);

/// What the engine has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Prepare and run this step.
    Start(StepId),
    /// Run the step (or item) again at this time.
    Retry {
        /// Which step.
        id: StepId,
        /// Which item of a map.
        item: Option<u32>,
        /// When.
        at: Timestamp,
    },
    /// Say that the step (or item) is due at this time.
    Wait {
        /// Which step.
        id: StepId,
        /// Which item of a map.
        item: Option<u32>,
        /// When.
        at: Timestamp,
    },
    /// Stop working on this step; its outcome will be refused.
    Cancel(StepId),
    /// The run is over.
    Ended,
}

/// A run.
#[derive(Clone, Debug)]
pub struct RunState {
    pub(super) flow: Arc<Flow>,
    pub(super) info: RunInfo,
    pub(super) input: Arc<Value>,
    pub(super) status: Status,
    pub(super) end: Option<RunEnd>,
    pub(super) seq: u64,
    /// Starts so far.
    pub(super) started: u64,
    /// Steps over so far, items of maps counted singly.
    pub(super) committed: u64,
    pub(super) ports: Arc<Ports>,
    /// Per port: starts so far.
    pub(super) starts: Vec<u32>,
    pub(super) trunk: Trunk,
    pub(super) history: Vec<Finished>,
    pub(super) active: Vec<Active>,
    pub(super) pending: BTreeMap<NodeIx, Pending>,
    pub(super) arrivals: VecDeque<Arrival>,
    /// Firings of edges with `max` since their loop was entered.
    pub(super) fired: BTreeMap<EdgeIx, u32>,
    /// Nodes with `join: first` that have started in the current round.
    pub(super) raced: BTreeSet<NodeIx>,
    /// Set when the run cannot go on: becomes its failure.
    pub(super) broken: Option<Failure>,
    pub(super) effects: Vec<Effect>,
    pub(super) next_id: u64,
}

/// The common past.
#[derive(Clone, Debug)]
pub(super) struct Trunk {
    /// `None` while the only live step owns it.
    pub(super) view: Option<Arc<View>>,
    /// Start numbers by port.
    pub(super) clock: Vec<u32>,
}

/// A started step.
#[derive(Clone, Debug)]
pub struct Active {
    /// Its name in this state.
    pub id: StepId,
    /// The node.
    pub node: NodeIx,
    /// The start's number, as journaled.
    pub visit: u32,
    /// The failure that led here by an error edge.
    pub error: Option<Arc<Failure>>,
    /// Failed attempts so far, by item, with the time of the next one.
    pub attempts: BTreeMap<Option<u32>, (u32, Timestamp)>,
    /// Results that wait for their time, by item.
    pub(super) waits: Waits,
    pub(super) items: Option<Items>,
    /// The items of a map, once its list is evaluated.
    pub(super) list: Option<Arc<[Value]>>,
    pub(super) view: Arc<View>,
    pub(super) port: u32,
    pub(super) number: u32,
    pub(super) depth: u32,
    /// Its past, itself included.
    pub(super) clock: Clock,
}

/// Progress of a map.
#[derive(Clone, Debug)]
pub(super) struct Items {
    pub(super) total: u32,
    pub(super) done: BTreeMap<u32, ItemDone>,
}

/// One item that is over.
#[derive(Clone, Debug)]
pub(super) struct ItemDone {
    pub(super) result: Arc<Value>,
    pub(super) patch: Vec<(usize, Arc<Value>)>,
}

/// A finished step.
#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) node: NodeIx,
    pub(super) port: u32,
    pub(super) number: u32,
    pub(super) depth: u32,
    pub(super) clock: Clock,
    pub(super) patch: Vec<(usize, Arc<Value>)>,
    pub(super) result: Option<Arc<Value>>,
    pub(super) failure: Option<Arc<Failure>>,
    /// The view it started with, until `after` is made from it.
    pub(super) before: Option<Arc<View>>,
    pub(super) after: Option<Arc<View>>,
}

/// A node whose edge has fired.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Only back edges of its own loop fired.
    pub(super) round: bool,
    /// Indices in the history.
    pub(super) sources: Vec<usize>,
    pub(super) error: Option<Arc<Failure>>,
    /// A node known to hold it up.
    pub(super) held_by: Option<NodeIx>,
}

/// An arrival at a node with `join: each`.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) node: NodeIx,
    pub(super) port: u32,
    pub(super) source: usize,
    pub(super) error: Option<Arc<Failure>>,
}

/// Where starts are counted.
#[derive(Debug)]
pub(super) struct Ports {
    pub(super) count: usize,
    /// For nodes with `join: each`: the first of its extra ports and its incoming edges.
    pub(super) each: BTreeMap<NodeIx, (u32, Vec<EdgeIx>)>,
}

impl Ports {
    fn new(flow: &Flow) -> Self {
        let mut count = flow.nodes.len();
        let mut each = BTreeMap::new();
        for (node, _) in flow
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| n.join == Join::Each)
        {
            let incoming: Vec<EdgeIx> = (0..flow.edges.len())
                .filter(|edge| flow.edges[*edge].to == Target::Node(node))
                .collect();
            let first = u32::try_from(count).unwrap_or(u32::MAX);
            count += incoming.len();
            each.insert(node, (first, incoming));
        }
        Self { count, each }
    }

    /// The port at which `edge` arrives at `node`.
    pub(super) fn of(&self, node: NodeIx, edge: EdgeIx) -> u32 {
        let extra = self.each.get(&node).and_then(|(first, incoming)| {
            let at = incoming.iter().position(|e| *e == edge)?;
            Some(first + u32::try_from(at).unwrap_or(0))
        });
        extra.unwrap_or(u32::try_from(node).unwrap_or(u32::MAX))
    }

    /// The journaled number of start `number` at `port` of `node`.
    pub(super) fn visit(&self, node: NodeIx, port: u32, number: u32) -> u32 {
        match self.each.get(&node) {
            Some((first, incoming)) if port >= *first => {
                let width = u32::try_from(incoming.len()).unwrap_or(1);
                (number - 1)
                    .saturating_mul(width)
                    .saturating_add(port - first + 1)
            }
            _ => number,
        }
    }

    /// The ports of `node`.
    pub(super) fn all(&self, node: NodeIx) -> impl Iterator<Item = u32> {
        let extra = self.each.get(&node).map_or(0..0, |(first, incoming)| {
            *first..first + u32::try_from(incoming.len()).unwrap_or(0)
        });
        std::iter::once(u32::try_from(node).unwrap_or(u32::MAX)).chain(extra)
    }
}

impl RunState {
    /// A run that has not done anything yet; its first step is ready to start.
    #[must_use]
    pub fn new(flow: Arc<Flow>, info: RunInfo, input: Arc<Value>) -> Self {
        let ports = Arc::new(Ports::new(&flow));
        let view = Arc::new(View::initial(&flow));
        let mut state = Self {
            info,
            input,
            status: Status::Running,
            end: None,
            seq: 0,
            started: 0,
            committed: 0,
            starts: vec![0; ports.count],
            trunk: Trunk {
                view: Some(view),
                clock: vec![0; ports.count],
            },
            ports,
            history: Vec::new(),
            active: Vec::new(),
            pending: BTreeMap::new(),
            arrivals: VecDeque::new(),
            fired: BTreeMap::new(),
            raced: BTreeSet::new(),
            broken: None,
            effects: Vec::new(),
            next_id: 1,
            flow,
        };
        let start = state.flow.start;
        state.pending.insert(
            start,
            Pending {
                round: false,
                sources: Vec::new(),
                error: None,
                held_by: None,
            },
        );
        state.settle();
        state
    }

    /// The flow it runs.
    #[must_use]
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// What `run.*` says.
    #[must_use]
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The validated input.
    #[must_use]
    pub fn input(&self) -> &Arc<Value> {
        &self.input
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> Option<&RunEnd> {
        self.end.as_ref()
    }

    /// The last journal entry folded in; 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Steps over so far, items of maps counted singly.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.committed
    }

    /// The steps that are started and not over.
    #[must_use]
    pub fn active(&self) -> &[Active] {
        &self.active
    }

    /// The started step of that name.
    #[must_use]
    pub fn find(&self, id: StepId) -> Option<&Active> {
        self.active.iter().find(|active| active.id == id)
    }

    /// What the engine has to do since [`Self::take_effects`].
    #[must_use]
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Takes what the engine has to do since the last call. After replay: throw it away and start
    /// every active step.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Whether nothing is running, pending or waiting to start.
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty() && self.pending.is_empty() && self.arrivals.is_empty()
    }
}

impl Active {
    /// Items of the map that are over.
    #[must_use]
    pub fn item_done(&self, index: u32) -> bool {
        self.items
            .as_ref()
            .is_some_and(|items| items.done.contains_key(&index))
    }

    pub(super) fn item(&self, index: u32) -> Option<(u32, &Value)> {
        Some((index, self.list.as_ref()?.get(index as usize)?))
    }

    /// The number of the next attempt, from 1, and when it is due.
    #[must_use]
    pub fn next_attempt(&self, item: Option<u32>) -> (u32, Option<Timestamp>) {
        self.attempts
            .get(&item)
            .map_or((1, None), |(failed, at)| (failed + 1, Some(*at)))
    }
}
