//! Holds a snapshot against the journal that it folds, for the doctor. Reads only.
use std::{collections::BTreeMap, sync::Arc};

use futures::future::BoxFuture;
use runstone_model::{
    ids::RunId,
    run::{Replay, RunInfo, RunState},
};
use runstone_store::{Folded, Folds, Snapshot, StoredRow};
use serde_json::Value;

use super::codec::Decoder;
use crate::{Engine, PinnedFlow};

/// Rows read at a time: each may hold megabytes.
const PAGE: u32 = 100;

impl Folds for Engine {
    fn compare<'a>(&'a self, run: RunId, snapshot: &'a Snapshot) -> BoxFuture<'a, Folded> {
        Box::pin(async move {
            let (pinned, state) = match self.begin(run).await {
                Ok(begun) => begun,
                Err(why) => return Folded::Unknown(why),
            };
            match self.fold_to(run, &pinned, state, snapshot.seq).await {
                Ok(state) => same(&state, &snapshot.body),
                Err(why) => Folded::Broken(why),
            }
        })
    }
}

impl Engine {
    async fn begin(&self, run: RunId) -> Result<(PinnedFlow, RunState), String> {
        let record = self.inner.store.run(run).await.map_err(|e| e.to_string())?;
        let record = record.ok_or_else(|| "there is no such run".to_owned())?;
        let pinned = self.flow_version(record.flow_version).await;
        let pinned = pinned.map_err(|error| error.to_string())?;
        let info = RunInfo {
            id: run,
            version: pinned.version,
            created_at: record.created_at,
        };
        let input: Value =
            serde_json::from_str(&record.input).map_err(|error| format!("input: {error}"))?;
        let state = RunState::new(Arc::clone(&pinned.flow), info, Arc::new(input));
        Ok((pinned, state))
    }

    async fn fold_to(
        &self,
        run: RunId,
        pinned: &PinnedFlow,
        state: RunState,
        last: u64,
    ) -> Result<RunState, String> {
        let blobs = BTreeMap::new(); // the store has put their values in place
        let decoder = Decoder {
            flow: &pinned.flow,
            blobs: &blobs,
        };
        let mut replay = Replay::new(state);
        while replay.seq() < last {
            let page = self.inner.store.journal(run, replay.seq(), PAGE).await;
            let page: Vec<StoredRow> = page.map_err(|error| error.to_string())?;
            if page.is_empty() {
                return Err(format!(
                    "it ends at row {}, before row {last}",
                    replay.seq()
                ));
            }
            for stored in page.iter().filter(|stored| stored.row.seq <= last) {
                let want = replay.seq() + 1;
                if stored.row.seq != want {
                    return Err(format!("row {want} is missing; found {}", stored.row.seq));
                }
                replay.push(decoder.entry(&stored.row)?);
            }
        }
        Ok(replay.end())
    }
}

fn same(state: &RunState, body: &str) -> Folded {
    let stored: Value = match serde_json::from_str(body) {
        Ok(stored) => stored,
        Err(error) => return Folded::Different(format!("it is no JSON: {error}")),
    };
    let Some(folded) = state.snapshot() else {
        return Folded::Different(format!("at row {} there is none to take", state.seq()));
    };
    if folded == stored {
        return Folded::Same;
    }
    let keys = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let (folded, stored) = (keys(&folded), keys(&stored));
    let mut all = folded.keys().chain(stored.keys());
    let differs = all.find(|key| folded.get(*key) != stored.get(*key));
    Folded::Different(format!(
        "they differ in `{}`",
        differs.map_or("nothing that has a name", String::as_str)
    ))
}
