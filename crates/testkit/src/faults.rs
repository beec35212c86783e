//! A store that fails and crashes by seed, in front of one that does not: errors before and after
//! the work is done, slow answers, and the process dying at any call.
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    time::Timestamp,
};
use runstone_store::{
    Claim, Claimed, Commit, Error, FlowVersion, LoadedRun, NewFlow, Reopen, RunFilter, RunRecord,
    Store, StoredRow,
};
use tokio::sync::Notify;

/// How often something goes wrong, in thousandths of the calls.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// The call fails and nothing was done.
    pub error_before: u32,
    /// The call was done but its answer is lost.
    pub error_after: u32,
    /// The answer is slow.
    pub slow: u32,
}

/// The failing store.
pub struct Faults {
    inner: Arc<dyn Store>,
    rng: Mutex<ChaCha8Rng>,
    rates: Rates,
    calls: AtomicU64,
    /// The call at which the process dies, before or after the work; 0: never.
    crash_at: u64,
    crash_before: bool,
    crashed: Notify,
    dead: AtomicBool,
    /// Heartbeats hang: to the others this process looks dead.
    frozen: AtomicBool,
    /// Somebody holds the rows of all runs: who claims one by its id passes by.
    held: AtomicBool,
}

impl Faults {
    /// Fails at `rates`, dies at call `crash_at` (0: never); all by `seed`.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, seed: u64, rates: Rates, crash_at: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let crash_before = rng.random_bool(0.5);
        Self {
            inner,
            rng: Mutex::new(rng),
            rates,
            calls: AtomicU64::new(0),
            crash_at,
            crash_before,
            crashed: Notify::new(),
            dead: AtomicBool::new(false),
            frozen: AtomicBool::new(false),
            held: AtomicBool::new(false),
        }
    }

    /// Resolves when the process has died.
    pub async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// From now on heartbeats hang.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    /// From now on somebody holds the rows of all runs, or nobody does.
    pub fn hold_rows(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// Calls so far.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn draw(&self, thousandths: u32) -> bool {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        rng.random_range(0..1000) < thousandths
    }

    async fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.crashed.notify_one();
        std::future::pending::<()>().await;
    }

    async fn call<'a, T>(
        &'a self,
        what: &'static str,
        work: impl FnOnce() -> BoxFuture<'a, Result<T, Error>>,
    ) -> Result<T, Error> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if self.dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await; // a dead process does nothing any more
        }
        if self.draw(self.rates.slow) {
            let ms = self
                .rng
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .random_range(1..400);
            tokio::time::sleep(Duration::from_millis(ms)).await;
        } else {
            tokio::task::yield_now().await;
        }
        if number == self.crash_at && self.crash_before {
            self.die().await;
        }
        if self.draw(self.rates.error_before) {
            return Err(Error::Unavailable(format!("injected before {what}")));
        }
        let result = work().await;
        if number == self.crash_at && !self.crash_before {
            self.die().await;
        }
        if self.draw(self.rates.error_after) {
            return Err(Error::Unavailable(format!("injected after {what}")));
        }
        result
    }
}

impl Store for Faults {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.call("commit", move || self.inner.commit(commit)))
    }

    fn put_flow(&self, flow: NewFlow) -> BoxFuture<'_, Result<FlowVersion, Error>> {
        Box::pin(self.call("put_flow", move || self.inner.put_flow(flow)))
    }

    fn flow_version(&self, id: FlowVersionId) -> BoxFuture<'_, Result<Option<FlowVersion>, Error>> {
        Box::pin(self.call("flow_version", move || self.inner.flow_version(id)))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Vec<Claimed>, Error>> {
        Box::pin(self.call("claim", move || {
            if claim.only.is_some() && self.held.load(Ordering::Relaxed) {
                return Box::pin(std::future::ready(Ok(Vec::new())));
            }
            self.inner.claim(claim)
        }))
    }

    fn load<'a>(&'a self, runs: &'a [RunId]) -> BoxFuture<'a, Result<Vec<LoadedRun>, Error>> {
        Box::pin(self.call("load", move || self.inner.load(runs)))
    }

    fn heartbeat(
        &self,
        server: ServerId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>> {
        Box::pin(async move {
            if self.frozen.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            self.call("heartbeat", move || self.inner.heartbeat(server, now))
                .await
        })
    }

    fn release(&self, server: ServerId) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(self.call("release", move || self.inner.release(server)))
    }

    fn owned(
        &self,
        server: ServerId,
        after: Option<RunId>,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>> {
        Box::pin(self.call("owned", move || self.inner.owned(server, after)))
    }

    fn next_wake(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Error>> {
        Box::pin(self.call("next_wake", move || self.inner.next_wake()))
    }

    fn request_cancel(&self, run: RunId, now: Timestamp) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(self.call("request_cancel", move || {
            self.inner.request_cancel(run, now)
        }))
    }

    fn reopen(&self, reopen: Reopen) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(self.call("reopen", move || self.inner.reopen(reopen)))
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRecord>, Error>> {
        Box::pin(self.call("run", move || self.inner.run(id)))
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<RunRecord>, Error>> {
        Box::pin(self.call("runs", move || self.inner.runs(filter)))
    }

    fn journal(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRow>, Error>> {
        Box::pin(self.call("journal", move || self.inner.journal(run, after, limit)))
    }

    fn project_exists(&self, id: ProjectId) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(self.call("project_exists", move || self.inner.project_exists(id)))
    }
}
