//! What went wrong, as the user is told: the place, the reason, the way to mend it. Printing it is
//! `print::error`'s job.
use std::fmt;

use runstone_model::problem::Problems;

/// Something the user can mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// A file, a flag, a database; empty when there is no place.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) reason: String,
    /// Single findings, one a line.
    pub(crate) details: Vec<String>,
    /// How to mend it; empty when the reason says all.
    pub(crate) mend: String,
}

impl Trouble {
    /// Something is wrong at `place`.
    pub(crate) fn at(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            reason: reason.into(),
            ..Self::default()
        }
    }

    /// The same, with the way to mend it.
    #[must_use]
    pub(crate) fn mend(mut self, mend: impl Into<String>) -> Self {
        self.mend = mend.into();
        self
    }

    /// The same, with single findings.
    #[must_use]
    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Trouble {}

/// A flow file that has problems, with its text so that they can be shown in place.
#[derive(Clone, Debug)]
pub(crate) struct BadFlow {
    /// The file.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) text: String,
    /// What is wrong with it.
    pub(crate) problems: Problems,
}

impl fmt::Display for BadFlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = crate::print::count(self.problems.0.len() as u64, "problem");
        write!(f, "{}: {found} in the flow", self.file)
    }
}

impl std::error::Error for BadFlow {}
