//! Folding a stored run: snapshot and rows back into a state.
use std::{collections::BTreeMap, sync::Arc};

use runstone_model::run::{Entry, Replay, RunEnd, RunInfo, RunState};
use runstone_store::LoadedRun;
use serde_json::Value;

use super::codec::Decoder;
use crate::{Engine, Error};

/// The run as its journal says.
pub(super) async fn fold(engine: &Engine, loaded: LoadedRun) -> Result<RunState, Error> {
    let run = loaded.record.id;
    let pinned = engine.flow_version(loaded.record.flow_version).await?;
    fold_with(&pinned, &loaded).map_err(|message| Error::Unreadable { run, message })
}

fn fold_with(pinned: &crate::PinnedFlow, loaded: &LoadedRun) -> Result<RunState, String> {
    let record = &loaded.record;
    let info = RunInfo {
        id: record.id,
        version: pinned.version,
        created_at: record.created_at,
    };
    let input: Value = serde_json::from_str(&record.input).map_err(|e| format!("input: {e}"))?;
    let flow = Arc::clone(&pinned.flow);
    let state = match &loaded.snapshot {
        Some(snapshot) => {
            let body = serde_json::from_str(&snapshot.body).map_err(|e| e.to_string())?;
            RunState::from_snapshot(flow, info, Arc::new(input), body).map_err(|e| e.to_string())?
        }
        None => RunState::new(flow, info, Arc::new(input)),
    };
    let blobs: BTreeMap<&str, &[u8]> = loaded
        .blobs
        .iter()
        .map(|blob| (&*blob.hash, &*blob.bytes))
        .collect();
    let decoder = Decoder {
        flow: &pinned.flow,
        blobs: &blobs,
    };
    let mut replay = Replay::new(state);
    for stored in &loaded.rows {
        let want = replay.seq() + 1;
        if stored.row.seq != want {
            return Err(format!(
                "journal row {want} is missing; found {}",
                stored.row.seq
            ));
        }
        let mut entry = decoder.entry(&stored.row)?;
        if let Entry::Ended {
            end: RunEnd::Completed(output),
            ..
        } = &mut entry
            && let Some(text) = &record.output
        {
            *output = serde_json::from_str(text)
                .map(Arc::new)
                .map_err(|e| e.to_string())?;
        }
        replay.push(entry);
    }
    Ok(replay.end())
}
