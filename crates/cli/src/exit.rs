//! The exit codes, one name each; `docs/cli.md` lists them.
use std::process::ExitCode;

use runstone_model::run::Status;

/// What the process says of itself at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for a run: completed.
    Ok,
    /// The run failed, or a check found something.
    Failed,
    /// Wrong usage, bad input, or trouble with the database.
    Usage,
    /// The run was cancelled.
    Cancelled,
    /// The run is not over.
    Unfinished,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Cancelled => 3,
            Exit::Unfinished => 4,
        })
    }
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Completed => Self::Ok,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
            Status::Pending | Status::Running | Status::Waiting | Status::Paused => {
                Self::Unfinished
            }
        }
    }
}
