//! What a use-case can fail with, as far as a caller acts on it.
use runstone_model::{ids::RunId, problem::Problems};
use runstone_store as store;

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// There is no such run.
    #[error("there is no run {0}")]
    NoSuchRun(RunId),
    /// The run is over.
    #[error("run {0} is already {1}")]
    AlreadyEnded(RunId, &'static str),
    /// The run has not ended.
    #[error("run {0} has not ended; resume it, or cancel it first")]
    NotEnded(RunId),
    /// Somebody else runs it.
    #[error("run {0} is being executed by another process; it can be resumed once that one stops")]
    OwnedElsewhere(RunId),
    /// What the database holds of the run cannot be folded.
    #[error("run {run} cannot be read back: {message}")]
    Unreadable {
        /// The run.
        run: RunId,
        /// Why.
        message: String,
    },
    /// The engine is stopping.
    #[error("the engine is stopping; the run stays where it is and can be resumed")]
    Stopping,
}

/// Why a flow was not taken.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// It has problems.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Why an input was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the input does not fit the flow: {}", .0.join("; "))]
pub struct InputError(pub Vec<String>);
