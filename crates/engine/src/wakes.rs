//! When the next run that waits for a time is due: what the database says, and what this process has
//! parked since it was asked.
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use runstone_model::time::Timestamp;
use tokio::sync::Notify;

use crate::Clock;

/// Runs that are due together are claimed together: rounds are at least so far apart.
const APART: Duration = Duration::from_millis(5);

/// The nearest time that is known.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    next: Mutex<Option<Timestamp>>,
    sooner: Notify,
}

impl Wakes {
    /// A run is due at `at`; it is durable that it waits.
    pub(crate) fn note(&self, at: Timestamp) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_none_or(|next| at < next) {
            *next = Some(at);
            self.sooner.notify_one();
        }
    }

    /// Forgets what is known: the database is about to be asked.
    pub(crate) fn ask(&self) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits until the next run is due, or one that is due sooner was parked, but at most so long:
    /// clocks jump, and other servers park runs too.
    pub(crate) async fn wait(&self, clock: &dyn Clock, most: Duration) {
        let latest = tokio::time::Instant::now() + most;
        loop {
            let next = *self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let wait = next.map_or(most, |next| next.since(clock.now()).max(APART).min(most));
            let until = latest.min(tokio::time::Instant::now() + wait);
            tokio::select! {
                () = tokio::time::sleep_until(until) => return,
                () = self.sooner.notified() => {}
            }
        }
    }
}
