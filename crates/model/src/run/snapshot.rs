//! The folded run as JSON, so that a long run need not be folded from its beginning. Taken only
//! when one step is alive and nothing of the past is left to fold: then the whole past is one view.
use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    clock::Clock,
    scope::RunInfo,
    state::{Active, Effect, RunState, StepId},
    view::View,
};
use crate::{failure::Failure, flow::Flow};

/// Why a snapshot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is not what this program writes.
    #[error("the snapshot cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It does not fit the flow.
    #[error("the snapshot does not fit the flow: {0}")]
    Misfit(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Folded {
    seq: u64,
    started: u64,
    committed: u64,
    next_id: u64,
    starts: Vec<u32>,
    trunk: Vec<u32>,
    fired: BTreeMap<usize, u32>,
    raced: Vec<usize>,
    state: Vec<Arc<Value>>,
    results: BTreeMap<usize, Arc<Value>>,
    step: Alive,
}

#[derive(Serialize, Deserialize)]
struct Alive {
    id: u64,
    node: usize,
    visit: u32,
    port: u32,
    number: u32,
    depth: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

impl RunState {
    /// Whether [`Self::snapshot`] would give one now.
    #[must_use]
    pub fn can_snapshot(&self) -> bool {
        let [only] = self.active.as_slice() else {
            return false;
        };
        self.trunk.view.is_none()
            && self.pending.is_empty()
            && self.arrivals.is_empty()
            && self.history.is_empty()
            && only.items.is_none()
            && only.attempts.is_empty()
            && only.waits.is_empty()
            && self.broken.is_none()
            && !self.status.is_final()
    }

    /// The run folded up to [`Self::seq`], when it is at a place where that is one view.
    #[must_use]
    pub fn snapshot(&self) -> Option<Value> {
        let only = self.active.first().filter(|_| self.can_snapshot())?;
        let results = only.view.results.iter().enumerate();
        let folded = Folded {
            seq: self.seq,
            started: self.started,
            committed: self.committed,
            next_id: self.next_id,
            starts: self.starts.clone(),
            trunk: self.trunk.clock.clone(),
            fired: self.fired.clone(),
            raced: self.raced.iter().copied().collect(),
            state: only.view.state.clone(),
            results: results
                .filter_map(|(at, v)| Some((at, v.clone()?)))
                .collect(),
            step: Alive {
                id: only.id.0,
                node: only.node,
                visit: only.visit,
                port: only.port,
                number: only.number,
                depth: only.depth,
                error: only.error.as_deref().cloned(),
            },
        };
        serde_json::to_value(folded).ok()
    }

    /// The run as it was when the snapshot was taken.
    pub fn from_snapshot(
        flow: Arc<Flow>,
        info: RunInfo,
        input: Arc<Value>,
        snapshot: Value,
    ) -> Result<Self, SnapshotError> {
        let folded: Folded = serde_json::from_value(snapshot)?;
        let mut run = Self::new(flow, info, input);
        let (nodes, ports) = (run.flow.nodes.len(), run.ports.count);
        if folded.starts.len() != ports || folded.trunk.len() != ports {
            return Err(SnapshotError::Misfit("it counts other nodes"));
        }
        if folded.state.len() != run.flow.state.len() || folded.step.node >= nodes {
            return Err(SnapshotError::Misfit("it holds other state keys"));
        }
        let mut view = View {
            state: folded.state,
            results: vec![None; nodes],
        };
        for (node, result) in &folded.results {
            view.set_result(*node, result);
        }
        let step = folded.step;
        run.active = vec![Active {
            id: StepId(step.id),
            node: step.node,
            visit: step.visit,
            error: step.error.map(Arc::new),
            attempts: BTreeMap::new(),
            waits: BTreeMap::new(),
            items: None,
            list: None,
            view: Arc::new(view),
            port: step.port,
            number: step.number,
            depth: step.depth,
            clock: Clock::default().with(step.port, step.number),
        }];
        run.pending.clear();
        run.effects = vec![Effect::Start(StepId(step.id))];
        run.trunk.view = None;
        run.trunk.clock = folded.trunk;
        run.starts = folded.starts;
        run.seq = folded.seq;
        run.started = folded.started;
        run.committed = folded.committed;
        run.next_id = folded.next_id;
        run.fired = folded.fired;
        run.raced = folded.raced.into_iter().collect();
        Ok(run)
    }
}
