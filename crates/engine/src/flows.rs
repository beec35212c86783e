//! Flows by version: reading a flow file, storing it, and the versions in use kept in memory.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use runstone_model::{
    flow::Flow,
    ids::{FlowVersionId, ProjectId},
};
use runstone_store as store;

use crate::{Engine, Error, error::FlowError};

/// Flow versions kept in memory.
const KEPT: usize = 1024;

/// A flow pinned to one stored version.
#[derive(Clone, Debug)]
pub struct PinnedFlow {
    /// The version's id.
    pub id: FlowVersionId,
    /// The version's number.
    pub version: u32,
    /// The flow.
    pub flow: Arc<Flow>,
}

/// The versions in use.
#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<FlowVersionId, PinnedFlow>>);

impl Flows {
    fn get(&self, id: FlowVersionId) -> Option<PinnedFlow> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    fn keep(&self, flow: &PinnedFlow) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.clear(); // versions are immutable: reading one again is only slower
        }
        kept.insert(flow.id, flow.clone());
    }
}

impl Engine {
    /// Reads and checks a flow file's text and stores it, as a new version unless the newest one
    /// says the same.
    pub async fn put_flow(&self, project: ProjectId, text: &str) -> Result<PinnedFlow, FlowError> {
        let flow = Flow::parse(text, &self.inner.registry)?;
        Ok(self.store_flow(project, Arc::new(flow)).await?)
    }

    /// Stores a checked flow.
    pub async fn store_flow(
        &self,
        project: ProjectId,
        flow: Arc<Flow>,
    ) -> Result<PinnedFlow, store::Error> {
        let stored = self
            .inner
            .store
            .put_flow(store::NewFlow {
                project,
                name: flow.name.clone(),
                definition: flow.canonical.to_string(),
                id: FlowVersionId(self.inner.ids.next()),
                created_at: self.inner.clock.now(),
            })
            .await?;
        let pinned = PinnedFlow {
            id: stored.id,
            version: stored.version,
            flow,
        };
        self.inner.flows.keep(&pinned);
        Ok(pinned)
    }

    /// Keeps a flow that was pinned by another engine on the same database, to save reading it.
    pub fn keep_flow(&self, flow: &PinnedFlow) {
        self.inner.flows.keep(flow);
    }

    /// The stored version `id`.
    pub async fn flow_version(&self, id: FlowVersionId) -> Result<PinnedFlow, Error> {
        if let Some(kept) = self.inner.flows.get(id) {
            return Ok(kept);
        }
        let corrupt = |message: String| {
            Error::Store(store::Error::Corrupt {
                place: format!("flow_versions {id}"),
                message,
            })
        };
        let Some(stored) = self.inner.store.flow_version(id).await? else {
            return Err(corrupt("there is no such version".to_owned()));
        };
        let flow =
            Flow::from_canonical(&stored.definition, &self.inner.registry).map_err(|problems| {
                let first = problems
                    .0
                    .first()
                    .map(|p| p.message.clone())
                    .unwrap_or_default();
                corrupt(format!("the definition does not validate here: {first}"))
            })?;
        let pinned = PinnedFlow {
            id,
            version: stored.version,
            flow: Arc::new(flow),
        };
        self.inner.flows.keep(&pinned);
        Ok(pinned)
    }
}
