//! Expressions: CEL inside `${{ }}`, whole values keeping their type, text interpolated. Pure, with
//! caps on size and a deadline on evaluation; knows nothing of runs, only of a [`Scope`].
use std::borrow::Cow;

use serde_json::Value;

/// A name an expression may start with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// The run's input.
    Input,
    /// The state the node sees.
    State,
    /// Last results by node.
    Results,
    /// Starts so far by node.
    Visits,
    /// `run.id`, `run.flow`, `run.version`, `run.started_at`.
    Run,
    /// The item of a map.
    Item,
    /// The item's index.
    Index,
    /// The failure on an error edge.
    Error,
    /// Secrets by name.
    Secrets,
    /// The node's own result (only in `out` and on outgoing edges).
    Result,
}

/// What an expression can see.
pub trait Scope {
    /// The value of `root`, or of its member; `None` when there is no such value.
    fn get(&self, root: Root, member: Option<&str>) -> Option<Cow<'_, Value>>;
}

/// Where and why an expression cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub mend: String,
    /// Character offset in the text given to `parse`/`compile`.
    pub offset: usize,
    /// For a template over a JSON value: the path inside it, e.g. `headers.x`; else empty.
    pub path: String,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{source_text}`: {message}")]
pub struct EvalError {
    /// The expression as written.
    pub source_text: String,
    /// What is wrong, naming the member or the types.
    pub message: String,
}
