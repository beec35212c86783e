//! Problems found in a flow file: where, what, and how to mend it. Validation collects all of them;
//! printing them with the source line is the command line's job.
use serde::Serialize;

/// A place in a source file, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Line, from 1; 0 when the place is not known.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// One problem in a flow file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code such as `unknown_key`; `docs/errors.md` explains each.
    pub code: &'static str,
    /// Where in the file.
    pub place: Place,
    /// The path in the document, e.g. `nodes.check.with`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: String,
}

/// All problems of one file, in order of place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{} problem(s) in the flow", .0.len())]
pub struct Problems(pub Vec<Problem>);
