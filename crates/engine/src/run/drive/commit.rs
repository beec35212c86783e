//! Making decided entries durable, and then telling watchers. The run does not go on before.
use std::{sync::Arc, time::Duration};

use runstone_model::{
    failure::{Class, Failure},
    run::{Entry, RunEnd, Status},
    time::Timestamp,
};
use runstone_store as store;

use super::Driver;
use crate::{
    EventKind,
    run::{codec::Encoder, start::RunResult},
    tally,
};

/// A snapshot is written when the rows since the last one outweigh it, but not for less than this
/// many bytes: folding so little is quicker than reading a snapshot.
const SNAPSHOT_BYTES: usize = 256 << 10;

/// The first wait while the database does not answer, doubled up to the longest. The store itself
/// tries for a while before it says so.
const RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(4);

/// How much was written since the last snapshot, and how large that was.
#[derive(Default)]
pub(in crate::run) struct Snapshots {
    since: usize,
    last: usize,
}

impl Snapshots {
    /// As they are for a run that was read: one that parks often would never write any otherwise.
    pub(in crate::run) fn of(loaded: &store::LoadedRun) -> Self {
        let rows = loaded.rows.iter().map(|row| row.row.body.len());
        let last = loaded.snapshot.as_ref();
        Self {
            since: rows.sum(),
            last: last.map_or(0, |snapshot| snapshot.body.len()),
        }
    }
}

impl Driver {
    /// Makes `entries` durable, and with `park` gives the run up until then. The error is how the
    /// run leaves this process.
    pub(super) async fn commit(
        &mut self,
        entries: Vec<Entry>,
        park: Option<Timestamp>,
    ) -> Result<(), RunResult> {
        let first = self.state.seq() + 1 - entries.len() as u64;
        let (mut waited, mut tries) = (Duration::ZERO, 0);
        let mut commit = self.encode(first, &entries, park);
        let engine = self.engine.clone();
        let mut waiting = None;
        loop {
            match engine.inner.store.commit(commit).await {
                Ok(()) => break,
                Err(store::Error::Fenced) => {
                    self.tasks.abort_all();
                    tally::add(&self.engine.inner.tally.lost);
                    self.say(|| EventKind::LostOwnership);
                    return Err(RunResult::LostOwnership);
                }
                Err(store::Error::Unavailable(message)) => {
                    waiting.get_or_insert_with(|| engine.inner.outage.wait(&message));
                    self.say(|| EventKind::StoreUnavailable {
                        message: message.clone(),
                    });
                    let patience = self.engine.inner.options.patience;
                    if patience.is_some_and(|patience| waited >= patience) {
                        return Err(RunResult::Stuck(message));
                    }
                    let pause = self.pause(tries);
                    tokio::time::sleep(pause).await;
                    waited += pause;
                    tries += 1;
                    if *self.engine.inner.stop.borrow() {
                        return Err(RunResult::Stopped);
                    }
                    commit = self.encode(first, &entries, park);
                }
                Err(error) => {
                    let message = error.to_string();
                    self.say(|| {
                        let failure = Failure::new("store", Class::Resource, message.clone());
                        EventKind::Stuck {
                            failure: Box::new(failure),
                        }
                    });
                    return Err(RunResult::Stuck(message));
                }
            }
        }
        drop(waiting);
        for (seq, entry) in (first..).zip(entries) {
            self.engine.inner.tally.entry(&entry);
            self.say(|| EventKind::Committed {
                seq,
                entry: Arc::new(entry),
            });
        }
        Ok(())
    }

    /// Runs that wait for the same database must not all come back at once. By the run and not by
    /// chance, so that a simulation is the same every time.
    fn pause(&self, tries: u32) -> Duration {
        let longest = RETRY
            .saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX))
            .min(LONGEST_RETRY);
        let part = self.state.info().id.0.as_u128() % 256;
        longest.mul_f64(0.5 + 0.5 * part as f64 / 256.0)
    }

    fn say(&self, kind: impl FnOnce() -> EventKind) {
        self.engine.inner.say(self.state.info().id, kind);
    }

    fn encode(&mut self, first: u64, entries: &[Entry], park: Option<Timestamp>) -> store::Commit {
        let mut blobs = Vec::new();
        let flow = Arc::clone(self.state.flow());
        let mut encoder = Encoder {
            flow: &flow,
            blobs: &mut blobs,
        };
        let rows: Vec<store::Row> = (first..)
            .zip(entries)
            .map(|(seq, entry)| encoder.row(seq, entry))
            .collect();
        let bytes: usize = rows.iter().map(|row| row.body.len()).sum();
        let large: usize = blobs.iter().map(|blob| blob.bytes.len()).sum();
        self.snapshots.since += bytes + large;
        let ending = entries.iter().find_map(|entry| match entry {
            Entry::Ended { end, at } => Some(self.ending(end, *at)),
            Entry::Step(_)
            | Entry::AttemptFailed { .. }
            | Entry::Waiting { .. }
            | Entry::TakenOver { .. }
            | Entry::Retried { .. } => None,
        });
        let update = ending.or_else(|| park.map(|until| self.parking(until)));
        store::Commit {
            run: self.state.info().id,
            epoch: self.epoch,
            create: None,
            rows,
            snapshot: if update.is_some() {
                None
            } else {
                self.snapshot()
            },
            update,
            blobs,
        }
    }

    fn ending(&self, end: &RunEnd, at: Timestamp) -> store::RunUpdate {
        let (output, error) = match end {
            RunEnd::Completed(output) => (serde_json::to_string(output).ok(), None),
            RunEnd::Failed(failure) => (None, serde_json::to_string(failure).ok()),
            RunEnd::Cancelled(reason) => {
                let failure = Failure::new("cancelled", Class::Cancelled, reason.clone());
                (None, serde_json::to_string(&failure).ok())
            }
        };
        store::RunUpdate {
            status: self.state.status(),
            finished_at: Some(at),
            output,
            error,
            steps: self.state.steps(),
            wake_at: None,
        }
    }

    fn parking(&self, until: Timestamp) -> store::RunUpdate {
        store::RunUpdate {
            status: Status::Waiting,
            finished_at: None,
            output: None,
            error: None,
            steps: self.state.steps(),
            wake_at: Some(until),
        }
    }

    fn snapshot(&mut self) -> Option<store::Snapshot> {
        if self.snapshots.since <= SNAPSHOT_BYTES.max(self.snapshots.last) {
            return None;
        }
        let body = self.state.snapshot()?.to_string();
        self.snapshots.since = 0;
        self.snapshots.last = body.len();
        Some(store::Snapshot {
            seq: self.state.seq(),
            body,
        })
    }
}
