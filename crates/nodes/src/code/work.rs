//! Long computations beside the executor: on a thread of their own, stopped when the step is.
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use runstone_engine::node::{Cancelled, NodeError};
use runstone_model::failure::Class;

/// Says whether the work is still wanted.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    cancelled: Cancelled,
    dropped: Arc<AtomicBool>,
}

impl Stop {
    pub(super) fn new(cancelled: Cancelled) -> Self {
        Self {
            cancelled,
            dropped: Arc::default(),
        }
    }

    /// Whether the step was cancelled or its future dropped.
    pub(super) fn asked(&self) -> bool {
        self.cancelled.get() || self.dropped.load(Ordering::Relaxed)
    }

    /// An error when the work is no longer wanted.
    pub(super) fn check(&self) -> Result<(), NodeError> {
        match self.asked() {
            true => Err(NodeError::new(
                Class::Cancelled,
                "stopped while reading source code",
            )),
            false => Ok(()),
        }
    }
}

/// Tells the thread when nobody waits any more.
struct OnDrop(Arc<AtomicBool>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` on a thread for blocking work.
pub(super) async fn blocking<T: Send + 'static>(
    cancelled: Cancelled,
    work: impl FnOnce(&Stop) -> Result<T, NodeError> + Send + 'static,
) -> Result<T, NodeError> {
    let stop = Stop::new(cancelled);
    let _guard = OnDrop(Arc::clone(&stop.dropped));
    tokio::task::spawn_blocking(move || work(&stop))
        .await
        .unwrap_or_else(|error| {
            Err(NodeError::new(
                Class::Resource,
                format!("the thread that read the code ended: {error}"),
            ))
        })
}
