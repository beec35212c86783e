//! What can be wrong with an archive, each with its place in the file.
use std::io;

use super::FORMAT;

/// Why an archive cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(io::Error),
    /// It is something else.
    #[error("this is not a Runstone backup: it does not begin like one")]
    Foreign,
    /// A newer program wrote it.
    #[error(
        "the backup has format {found}, this program reads up to {FORMAT}; use the newer program \
         that wrote it"
    )]
    NewerFormat {
        /// Its format.
        found: u32,
    },
    /// The schema is newer than this program's.
    #[error(
        "the backup is of schema version {found}, this program knows {known}; use the newer \
         program that wrote it"
    )]
    NewerSchema {
        /// Its schema version.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// It ends too early.
    #[error("the backup is cut off: it ends at byte {at}, in {part}")]
    Truncated {
        /// The length of the file.
        at: u64,
        /// Which part is not whole.
        part: String,
    },
    /// A checksum differs.
    #[error("the backup is damaged: {part} (from byte {at}) does not match its checksum")]
    Damaged {
        /// Where the damaged part begins.
        at: u64,
        /// Which part it is.
        part: String,
    },
    /// Its checksums are right and it makes no sense all the same.
    #[error("the backup was written wrongly: {problem} ({part}, from byte {at})")]
    Malformed {
        /// Where that part begins.
        at: u64,
        /// Which part it is.
        part: String,
        /// What is wrong.
        problem: String,
    },
    /// It is encrypted, and no passphrase was given.
    #[error("the backup is encrypted and no passphrase was given")]
    PassphraseMissing,
    /// The passphrase does not open it.
    #[error("the passphrase is not the one that this backup was encrypted with")]
    PassphraseWrong,
    /// A value that the format has no room for.
    #[error("{0}")]
    Unwritable(String),
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl ArchiveError {
    /// Whether the archive itself is bad, and not the way to it or the passphrase.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Foreign | Self::Truncated { .. } | Self::Damaged { .. } | Self::Malformed { .. }
        )
    }
}
