//! Looking at a run: its steps in order, and its state after any of them. Read only.
use std::collections::BTreeMap;

use runstone_model::{
    ids::RunId,
    run::{Entry, Replay, RunInfo, RunState},
};
use runstone_store::RunRecord;
use serde_json::Value;

use super::codec::Decoder;
use crate::{Engine, Error, PinnedFlow};

/// Rows read at a time.
const PAGE: u32 = 1000;

/// A run's whole past.
#[derive(Debug)]
pub struct History {
    /// Its own row.
    pub record: RunRecord,
    /// Its flow.
    pub flow: PinnedFlow,
    /// Its journal, in order.
    pub steps: Vec<Step>,
}

/// One journal entry with its place and its writer.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place.
    pub seq: u64,
    /// The owner that wrote it.
    pub epoch: i64,
    /// What it says.
    pub entry: Entry,
}

impl History {
    /// The state after the entry `seq`; `None` when there is no such entry.
    #[must_use]
    pub fn state_at(&self, seq: u64) -> Option<Value> {
        if seq > self.steps.len() as u64 {
            return None;
        }
        let input = serde_json::from_str(&self.record.input).unwrap_or_default();
        let info = RunInfo {
            id: self.record.id,
            version: self.flow.version,
            created_at: self.record.created_at,
        };
        let flow = std::sync::Arc::clone(&self.flow.flow);
        let state = RunState::new(flow, info, std::sync::Arc::new(input));
        let mut replay = Replay::new(state);
        for step in self.steps.iter().take_while(|step| step.seq <= seq) {
            replay.push(step.entry.clone());
        }
        Some(replay.end().state_json())
    }
}

impl Engine {
    /// A run's newest committed state, from its newest snapshot on.
    pub async fn state(&self, run: RunId) -> Result<Value, Error> {
        let loaded = self
            .inner
            .store
            .load(&[run])
            .await?
            .pop()
            .ok_or(Error::NoSuchRun(run))?;
        Ok(super::load::fold(self, loaded).await?.state_json())
    }

    /// Everything that happened to a run.
    pub async fn history(&self, run: RunId) -> Result<History, Error> {
        let store = &self.inner.store;
        let record = store.run(run).await?.ok_or(Error::NoSuchRun(run))?;
        let flow = self.flow_version(record.flow_version).await?;
        let mut steps = Vec::new();
        loop {
            let after = steps.last().map_or(0, |step: &Step| step.seq);
            let page = store.journal(run, after, PAGE).await?;
            let blobs = BTreeMap::new(); // the store has put their values in place
            let decoder = Decoder {
                flow: &flow.flow,
                blobs: &blobs,
            };
            for stored in &page {
                let entry = decoder
                    .entry(&stored.row)
                    .map_err(|message| Error::Unreadable { run, message })?;
                steps.push(Step {
                    seq: stored.row.seq,
                    epoch: stored.epoch,
                    entry,
                });
            }
            if page.len() < PAGE as usize {
                return Ok(History {
                    record,
                    flow,
                    steps,
                });
            }
        }
    }
}
