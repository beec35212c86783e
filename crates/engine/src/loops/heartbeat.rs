//! Says that this server is alive, and cancels the runs that somebody asked to cancel.
use std::sync::{PoisonError, atomic::Ordering};

use tokio::time::Instant;

use crate::{Engine, Error, run::control::Control};

/// The heartbeat loop.
pub struct Heartbeat(pub Engine);

/// What one beat did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatReport {
    /// Live runs that were told to end.
    pub cancelled: usize,
}

impl Heartbeat {
    /// One beat.
    pub async fn run_once(&self) -> Result<HeartbeatReport, Error> {
        let inner = &self.0.inner;
        let asked = inner
            .store
            .heartbeat(inner.server, inner.clock.now())
            .await?;
        *inner
            .beaten_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let mut report = HeartbeatReport::default();
        for run in asked {
            let reason = "cancel requested".to_owned();
            if inner.live.tell(run, Control::Cancel { reason }) {
                report.cancelled += 1;
            } else {
                // It is this server's, and nobody here goes on with it.
                inner.suspect.store(true, Ordering::Relaxed);
            }
        }
        Ok(report)
    }
}
