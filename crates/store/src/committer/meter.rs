//! What flushes carry and how long they take, for metrics. Two additions a flush, none a commit.
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use runstone_model::histogram::Histogram;

/// Upper bounds of how long a flush takes, in seconds.
const SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// Upper bounds of how many commits share a flush.
const COMMITS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// How the group commit is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitStats {
    /// How long flushes took, in seconds, failed ones included.
    pub seconds: Histogram,
    /// How many commits each flush carried.
    pub commits: Histogram,
    /// Flushes that failed, and were settled commit by commit.
    pub failed: u64,
    /// Commits that wait for the next flush.
    pub waiting: usize,
}

#[derive(Debug)]
pub(super) struct Meter(Mutex<CommitStats>);

impl Default for Meter {
    fn default() -> Self {
        Self(Mutex::new(CommitStats {
            seconds: Histogram::new(&SECONDS),
            commits: Histogram::new(&COMMITS),
            failed: 0,
            waiting: 0,
        }))
    }
}

impl Meter {
    /// Notes a flush that was begun at `began` and is over now.
    pub(super) fn flushed(&self, commits: usize, began: Instant, failed: bool) {
        let took = began.elapsed().as_secs_f64();
        let mut stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stats.seconds.observe(took);
        stats.commits.observe(commits as f64);
        stats.failed += u64::from(failed);
    }

    pub(super) fn stats(&self, waiting: usize) -> CommitStats {
        let stats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        CommitStats {
            waiting,
            ..stats.clone()
        }
    }
}
