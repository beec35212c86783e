//! Why a backup or a restore came to nothing.
use std::path::Path;

use super::archive::ArchiveError;
use crate::{Error, OpenError};

/// Why a backup, a restore or a check failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// An archive is damaged, foreign, newer, or cannot be opened.
    #[error("{file}: {error}")]
    Archive {
        /// The archive's file.
        file: String,
        /// What is wrong.
        error: ArchiveError,
    },
    /// The new archive cannot be written.
    #[error("the backup cannot be written: {0}")]
    Write(ArchiveError),
    /// The archives do not belong together.
    #[error("{0}")]
    Chain(String),
    /// Something is in the database already.
    #[error("the database is not empty: it has {found}")]
    NotEmpty {
        /// What it has.
        found: String,
    },
    /// A process is at work on the database.
    #[error("{0}")]
    Occupied(String),
    /// The database's.
    #[error(transparent)]
    Store(#[from] Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Somebody asked to stop.
    #[error("stopped before it was done")]
    Stopped,
}

impl From<runstone_db::Error> for BackupError {
    fn from(error: runstone_db::Error) -> Self {
        Self::Store(error.into())
    }
}

impl BackupError {
    /// `error` of the archive at `path`.
    #[must_use]
    pub fn of(path: &Path, error: ArchiveError) -> Self {
        Self::Archive {
            file: path.display().to_string(),
            error,
        }
    }

    /// A blocking task that gave no answer.
    pub(super) fn interrupted() -> Self {
        Self::Store(Error::Other("the work was interrupted".to_owned()))
    }
}
