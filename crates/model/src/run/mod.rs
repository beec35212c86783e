//! The run state machine. [`RunState::handle`] decides what a command changes and gives the entries
//! to journal; [`RunState::apply`] folds one journaled entry and cannot fail. Replay uses only
//! `apply`; both end in the same code, so a replayed run is the run. Nothing here does IO or reads
//! a clock: starting steps, waiting and committing are effects that the engine carries out.
mod arrive;
mod clock;
mod complete;
mod conclude;
mod entry;
mod fire;
mod fold;
mod handle;
mod prepare;
mod retry;
mod scope;
mod snapshot;
mod state;
mod status;
mod view;
mod wait;

pub use entry::{Entry, ItemRef, Kind, PatchValue, RunEnd, StepDone, StepRef, Wait};
pub use handle::{Command, Outcome, Rejection};
pub use prepare::Prepared;
pub use retry::{NoRetry, Replay, retry};
pub use scope::{RunInfo, Secrets};
pub use snapshot::SnapshotError;
pub use state::{Active, Effect, RunState, StepId};
pub use status::Status;
pub use view::View;
