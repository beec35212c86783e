//! What happens, for watchers in this process. The journal is the truth; these are only news.
use std::sync::Arc;

use runstone_model::{
    failure::Failure,
    ids::RunId,
    run::{Entry, StepRef},
    time::Timestamp,
};

/// One piece of news about a run.
#[derive(Clone, Debug)]
pub struct Event {
    /// The run.
    pub run: RunId,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// An attempt begins; not journaled.
    AttemptStarted {
        /// Which step.
        step: StepRef,
        /// The attempt, from 1.
        attempt: u32,
    },
    /// An entry is durable.
    Committed {
        /// Its place in the journal.
        seq: u64,
        /// The entry.
        entry: Arc<Entry>,
    },
    /// The database does not answer; the run waits for it.
    StoreUnavailable {
        /// What it said.
        message: String,
    },
    /// The run waits for a time and has left this process; whoever finds it due goes on with it.
    Parked {
        /// When it is due.
        until: Timestamp,
    },
    /// Another server has taken the run over; it is dropped here.
    LostOwnership,
    /// The run cannot go on here.
    Stuck {
        /// Why.
        failure: Box<Failure>,
    },
}
