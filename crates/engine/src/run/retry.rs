//! Going on with a run that has failed or was cancelled.
use std::{collections::BTreeMap, time::Duration};

use runstone_model::{
    ids::RunId,
    run::{Entry, NoRetry, Status, retry},
};
use runstone_store as store;

use super::{
    codec::{Decoder, Encoder},
    start::RunHandle,
};
use crate::{Engine, Error, PinnedFlow};

/// How often to look whether a run that has just ended has left this process.
const LOOK: Duration = Duration::from_millis(1);

impl Engine {
    /// Goes on with a run that has failed or was cancelled: from where it was cancelled, or before
    /// the step that made it fail. It gets its limit on duration and its attempts anew; its steps
    /// keep their idempotency keys. Durable once this returns; where another server was quicker to
    /// take it, the handle has nothing to wait for.
    ///
    /// # Errors
    /// The run is not there, has completed, has not ended, or the store failed.
    pub async fn retry(&self, id: RunId) -> Result<RunHandle, Error> {
        let inner = &self.inner;
        if *inner.stop.borrow() {
            return Err(Error::Stopping);
        }
        let loaded = inner.store.load(&[id]).await?.pop();
        let loaded = loaded.ok_or(Error::NoSuchRun(id))?;
        let status = loaded.record.status;
        match status {
            Status::Failed | Status::Cancelled => {}
            Status::Completed => return Err(Error::AlreadyEnded(id, status.name())),
            Status::Pending | Status::Running | Status::Waiting | Status::Paused => {
                return Err(Error::NotEnded(id));
            }
        }
        let pinned = self.flow_version(loaded.record.flow_version).await?;
        let entry = turn(&pinned, &loaded, inner.clock.now())
            .map_err(|message| Error::Unreadable { run: id, message })?;
        // Its end is durable before it leaves; taken in between, it would belong to nobody.
        while inner.live.has(id) {
            tokio::time::sleep(LOOK).await;
        }
        let seq = loaded.rows.last().map_or(0, |stored| stored.row.seq) + 1;
        let mut encoder = Encoder {
            flow: &pinned.flow,
            blobs: &mut Vec::new(),
        };
        let limit = pinned.flow.limits.duration;
        let reopen = store::Reopen {
            run: id,
            epoch: loaded.record.epoch,
            row: encoder.row(seq, &entry),
            deadline: limit.map(|limit| inner.clock.now().plus(limit)),
        };
        if !inner.store.reopen(reopen).await? {
            return Err(Error::NotEnded(id));
        }
        match self.resume(id).await {
            Err(Error::OwnedElsewhere(_) | Error::AlreadyEnded(..)) => Ok(RunHandle::elsewhere(id)),
            resumed => resumed,
        }
    }
}

/// The entry by which the run goes on.
fn turn(
    pinned: &PinnedFlow,
    loaded: &store::LoadedRun,
    now: runstone_model::time::Timestamp,
) -> Result<Entry, String> {
    let blobs: BTreeMap<&str, &[u8]> = loaded
        .blobs
        .iter()
        .map(|blob| (&*blob.hash, &*blob.bytes))
        .collect();
    let decoder = Decoder {
        flow: &pinned.flow,
        blobs: &blobs,
    };
    let from = loaded.rows.len().saturating_sub(2);
    let mut entries = Vec::with_capacity(2);
    for stored in &loaded.rows[from..] {
        entries.push((stored.row.seq, decoder.entry(&stored.row)?));
    }
    let Some((seq, last)) = entries.pop() else {
        return Err("its journal does not say how it ended".to_owned());
    };
    let before = entries.pop().map(|(_, entry)| entry);
    retry(before.as_ref(), &last, seq, now).map_err(|why: NoRetry| why.to_string())
}
