//! Use-cases on runs: start, resume, cancel, look. The executor of one run is `drive`.
mod codec;
mod compare;
pub(crate) mod control;
mod drive;
mod history;
mod load;
mod retry;
mod start;
mod step;
pub(crate) mod taking;

pub use history::{History, Step};
pub use start::{RunHandle, RunResult, StartRun};
