//! What this process has done, counted for metrics: nothing is decided by it.
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use runstone_model::{
    histogram::Histogram,
    run::{Entry, Kind},
};

/// Upper bounds of how long a step takes, in seconds.
const SECONDS: [f64; 12] = [
    0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 600.0,
];

/// What one engine has done since it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// Durable journal entries by their kind: steps that are over, failed attempts, ends of runs.
    pub entries: [(Kind, u64); Kind::ALL.len()],
    /// How long the last attempts of steps took, in seconds.
    pub step_seconds: Histogram,
    /// Runs that were started through this engine.
    pub started: u64,
    /// Runs that were taken over from others, or resumed.
    pub claimed: u64,
    /// Times that a run left this engine to wait for a time.
    pub parked: u64,
    /// Runs that somebody else took over from this engine.
    pub lost: u64,
    /// Runs that could not go on here.
    pub stuck: u64,
}

/// The counters.
#[derive(Debug)]
pub(crate) struct Tally {
    entries: [AtomicU64; Kind::ALL.len()],
    step_seconds: Mutex<Histogram>,
    pub(crate) started: AtomicU64,
    pub(crate) claimed: AtomicU64,
    pub(crate) parked: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) stuck: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            entries: Default::default(),
            step_seconds: Mutex::new(Histogram::new(&SECONDS)),
            started: AtomicU64::default(),
            claimed: AtomicU64::default(),
            parked: AtomicU64::default(),
            lost: AtomicU64::default(),
            stuck: AtomicU64::default(),
        }
    }
}

/// One more.
pub(crate) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Tally {
    /// Counts an entry that is durable.
    pub(crate) fn entry(&self, entry: &Entry) {
        let kind = entry.kind();
        if let Some(at) = Kind::ALL.iter().position(|known| *known == kind) {
            add(&self.entries[at]);
        }
        if let Entry::Step(done) = entry {
            let seconds = done.duration_us as f64 / 1e6;
            let steps = self.step_seconds.lock();
            let mut steps = steps.unwrap_or_else(PoisonError::into_inner);
            steps.observe(seconds);
        }
    }

    pub(crate) fn done(&self) -> Done {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut entries = Kind::ALL.map(|kind| (kind, 0));
        for (entry, counter) in entries.iter_mut().zip(&self.entries) {
            entry.1 = count(counter);
        }
        let steps = self.step_seconds.lock();
        Done {
            entries,
            step_seconds: steps.unwrap_or_else(PoisonError::into_inner).clone(),
            started: count(&self.started),
            claimed: count(&self.claimed),
            parked: count(&self.parked),
            lost: count(&self.lost),
            stuck: count(&self.stuck),
        }
    }
}
