//! Starting a run, resuming one, cancelling one.
use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use runstone_model::{
    ids::{ProjectId, RunId},
    limits::{MAX_DEPTH, MAX_INPUT_BYTES},
    run::{RunEnd, RunInfo, RunState},
    time::Timestamp,
};
use runstone_store as store;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    control::Control,
    drive::{Driver, Snapshots},
    load,
    taking::Taking,
};
use crate::{Engine, Error, PinnedFlow, tally};

/// What to start.
#[derive(Clone, Debug)]
pub struct StartRun {
    /// The project it belongs to.
    pub project: ProjectId,
    /// The flow version it is pinned to.
    pub flow: PinnedFlow,
    /// The input, already checked against the flow (`Flow::check_input`).
    pub input: Value,
    /// Leave it for any server to pick up instead of running it here.
    pub detach: bool,
    /// Its labels, name and value, by which it can be found.
    pub labels: Vec<(String, String)>,
}

/// How a run left this process.
#[derive(Clone, Debug, PartialEq)]
pub enum RunResult {
    /// It is over.
    Ended {
        /// How.
        end: RunEnd,
        /// Steps committed.
        steps: u64,
    },
    /// It waits for a time, and is in no process until then: whoever finds it due goes on with it.
    Parked {
        /// When it is due.
        until: Timestamp,
    },
    /// It goes on elsewhere: another server took it over.
    LostOwnership,
    /// This process stopped; it can be resumed.
    Stopped,
    /// It cannot go on here now; it can be resumed.
    Stuck(String),
}

/// A run that is live in this process.
#[derive(Debug)]
pub struct RunHandle {
    /// The run.
    pub id: RunId,
    done: Option<oneshot::Receiver<RunResult>>,
}

impl RunHandle {
    /// A run that goes on in another process.
    pub(super) fn elsewhere(id: RunId) -> Self {
        Self { id, done: None }
    }

    /// Waits until the run leaves this process. A detached run has left at once.
    pub async fn wait(self) -> RunResult {
        match self.done {
            Some(done) => done.await.unwrap_or(RunResult::Stopped),
            None => RunResult::Stopped,
        }
    }
}

impl Engine {
    /// Starts a run: durable once this returns.
    pub async fn start(&self, start: StartRun) -> Result<RunHandle, Error> {
        let id = RunId(self.inner.ids.next());
        self.start_as(id, self.inner.clock.now(), start).await
    }

    /// Starts a run under an id that was noted before, as for an idempotency key, and that counts as
    /// created at `created_at`. Fails when there is a run of that id.
    pub async fn start_as(
        &self,
        id: RunId,
        created_at: Timestamp,
        start: StartRun,
    ) -> Result<RunHandle, Error> {
        let inner = &self.inner;
        if *inner.stop.borrow() {
            return Err(Error::Stopping);
        }
        let now = inner.clock.now();
        let StartRun {
            project,
            flow,
            input,
            detach,
            labels,
        } = start;
        let body = serde_json::to_string(&input).map_err(|e| store::Error::Other(e.to_string()))?;
        if body.len() > MAX_INPUT_BYTES || !super::step::depth_fits(&input, MAX_DEPTH) {
            let message = format!(
                "the input is over the limit ({MAX_INPUT_BYTES} bytes as JSON, nested {MAX_DEPTH} \
                 deep); keep large data in a file or a database and give its address"
            );
            return Err(store::Error::Other(message).into());
        }
        let deadline = flow.flow.limits.duration.map(|limit| now.plus(limit));
        let mut taking = Taking::begin(inner, None);
        let receiver = if detach { None } else { taking.enter(id) };
        inner
            .store
            .commit(store::Commit {
                run: id,
                epoch: 1,
                create: Some(store::NewRun {
                    project,
                    flow_version: flow.id,
                    input: body,
                    created_at,
                    owner: (!detach).then_some(inner.server),
                    deadline,
                    labels,
                }),
                rows: Vec::new(),
                update: None,
                snapshot: None,
                blobs: Vec::new(),
            })
            .await?;
        tally::add(&inner.tally.started);
        let Some(control) = receiver else {
            taking.known();
            return Ok(RunHandle { id, done: None });
        };
        let info = RunInfo {
            id,
            version: flow.version,
            created_at,
        };
        let state = RunState::new(flow.flow, info, Arc::new(input));
        let driver = Driver::new(self.clone(), state, 1, deadline, control);
        let handle = self.launch(id, driver);
        taking.launched();
        taking.known();
        Ok(handle)
    }

    fn launch(&self, id: RunId, mut driver: Driver) -> RunHandle {
        let (sender, done) = oneshot::channel();
        let engine = self.clone();
        tokio::spawn(async move {
            let result = driver.run().await;
            if matches!(result, RunResult::Stuck(_)) {
                tally::add(&engine.inner.tally.stuck);
            }
            let wanted = engine.inner.live.leave(id);
            // It may be this server's still: an owner that had given it up may have written once more.
            if matches!(result, RunResult::Stuck(_) | RunResult::LostOwnership) {
                engine.inner.suspect.store(true, Ordering::Relaxed);
            }
            let result = engine.let_go(id, driver, result, wanted).await;
            let _ = sender.send(result); // nobody has to wait for it
        });
        RunHandle {
            id,
            done: Some(done),
        }
    }

    /// A run has left. What it was told at the last moment still counts, and so does that it was
    /// claimed here while it was on its way out.
    async fn let_go(
        &self,
        id: RunId,
        mut driver: Driver,
        result: RunResult,
        wanted: bool,
    ) -> RunResult {
        if !matches!(result, RunResult::Parked { .. } | RunResult::LostOwnership) {
            return result;
        }
        let told = driver.control.try_recv();
        drop(driver);
        if let Ok(Control::Cancel { reason }) = told {
            // Also when this engine is to stop: the request stays, and makes the run due at once.
            let done = self.cancel(id, &reason).await;
            if wanted && !matches!(done, Ok(true)) {
                self.inner.suspect.store(true, Ordering::Relaxed);
            }
        } else if wanted {
            let handles = self.claim(1, Some(id)).await;
            if let Ok(Some(handle)) = handles.map(|mut handles| handles.pop()) {
                return handle.wait().await;
            }
            self.inner.suspect.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Goes on with an unfinished run, from its last committed step.
    pub async fn resume(&self, id: RunId) -> Result<RunHandle, Error> {
        let record = self
            .inner
            .store
            .run(id)
            .await?
            .ok_or(Error::NoSuchRun(id))?;
        if record.status.is_final() {
            return Err(Error::AlreadyEnded(id, record.status.name()));
        }
        if self.inner.live.has(id) {
            return Err(Error::OwnedElsewhere(id));
        }
        let mut handles = self.claim(1, Some(id)).await?;
        handles.pop().ok_or(Error::OwnedElsewhere(id))
    }

    /// Takes over up to `limit` unfinished runs that nobody runs, and goes on with them.
    pub async fn claim(&self, limit: u32, only: Option<RunId>) -> Result<Vec<RunHandle>, Error> {
        if *self.inner.stop.borrow() {
            return Err(Error::Stopping);
        }
        self.take(limit, only, None).await
    }

    fn note_unreadable(&self, id: RunId, error: &Error) {
        if matches!(error, Error::Unreadable { .. }) {
            let unreadable = self.inner.unreadable.lock();
            unreadable
                .unwrap_or_else(PoisonError::into_inner)
                .insert(id);
        }
    }

    fn say_unreadable(&self, id: RunId, error: &Error) {
        self.inner.say(id, || crate::EventKind::Stuck {
            failure: Box::new(runstone_model::failure::Failure::new(
                "unreadable",
                runstone_model::failure::Class::Configuration,
                error.to_string(),
            )),
        });
    }

    /// With `cancel` the runs taken end at once, for that reason.
    async fn take(
        &self,
        limit: u32,
        only: Option<RunId>,
        cancel: Option<&str>,
    ) -> Result<Vec<RunHandle>, Error> {
        let inner = &self.inner;
        let mut taking = Taking::begin(inner, only);
        let now = inner.clock.now();
        let lease = i64::try_from(inner.options.lease.as_micros()).unwrap_or(i64::MAX);
        let expired_before = if inner.options.alone {
            Timestamp(i64::MAX) // whatever the clock said when they were last heard of
        } else {
            Timestamp(now.0.saturating_sub(lease))
        };
        inner.store.heartbeat(inner.server, now).await?;
        let claim = store::Claim {
            server: inner.server,
            now,
            expired_before,
            limit,
            only,
        };
        let claimed = inner.store.claim(claim).await?;
        let ids: Vec<RunId> = claimed.iter().map(|claimed| claimed.run).collect();
        let loaded = inner.store.load(&ids).await?;
        let mut handles = Vec::with_capacity(loaded.len());
        for loaded in loaded {
            let id = loaded.record.id;
            let Some(claimed) = claimed.iter().find(|claimed| claimed.run == id) else {
                continue;
            };
            let Some(control) = taking.enter_claimed(id) else {
                continue;
            };
            let deadline = loaded.record.deadline;
            let snapshots = Snapshots::of(&loaded);
            let asked = loaded
                .record
                .cancel_requested_at
                .map(|_| "cancel requested");
            match load::fold(self, loaded).await {
                Ok(mut state) => {
                    state.take_effects();
                    let mut driver =
                        Driver::new(self.clone(), state, claimed.epoch, deadline, control);
                    driver.snapshots = snapshots;
                    // A run that is to end starts nothing any more.
                    match cancel.or(asked).map(str::to_owned) {
                        Some(reason) => {
                            inner.live.tell(id, Control::Cancel { reason });
                        }
                        None => driver.restart(),
                    }
                    tally::add(&inner.tally.claimed);
                    handles.push(self.launch(id, driver));
                    taking.launched();
                }
                Err(error) => {
                    taking.leave();
                    self.note_unreadable(id, &error);
                    if only.is_some() {
                        return Err(error);
                    }
                    self.say_unreadable(id, &error);
                }
            }
        }
        taking.known();
        Ok(handles)
    }

    /// Cancels a run: at once when it is live here or nobody runs it, else its owner is asked. That
    /// it is to end is durable once this returns, whoever has it then. True when it ends here, false
    /// when it will end soon elsewhere.
    pub async fn cancel(&self, id: RunId, reason: &str) -> Result<bool, Error> {
        if self.inner.live.has(id) {
            let now = self.inner.clock.now();
            self.inner.store.request_cancel(id, now).await?;
            let reason = reason.to_owned();
            if self.inner.live.tell(id, Control::Cancel { reason }) {
                return Ok(true);
            }
        }
        let record = self
            .inner
            .store
            .run(id)
            .await?
            .ok_or(Error::NoSuchRun(id))?;
        if record.status.is_final() {
            return Err(Error::AlreadyEnded(id, record.status.name()));
        }
        if *self.inner.stop.borrow() {
            return Err(Error::Stopping);
        }
        self.inner
            .store
            .request_cancel(id, self.inner.clock.now())
            .await?;
        match self.take(1, Some(id), Some(reason)).await?.pop() {
            Some(handle) => {
                handle.wait().await;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Waits until no run is live here, at most `patience`; then gives up ownership of all of them.
    pub async fn drain(&self, patience: Duration) -> Result<u64, Error> {
        self.stop();
        let drained = async {
            while self.live() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(patience, drained).await; // what is left is resumed later
        Ok(self.inner.store.release(self.inner.server).await?)
    }
}
