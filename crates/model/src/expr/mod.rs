//! Expressions: CEL inside `${{ }}`, whole values keeping their type, text interpolated. Pure, with
//! caps on size, nesting and work instead of a clock; knows nothing of runs, only of a [`Scope`].
//! The `cel` crate parses; evaluation is ours, on JSON without conversion (see [`eval`]).
mod budget;
mod eval;
mod functions;
mod lower;
pub(crate) mod number;
mod parse;
mod path;
mod scan;
mod template;
#[cfg(test)]
mod tests;
mod tree;

use std::borrow::Cow;

use serde_json::Value;

pub use template::Template;
use tree::Node;

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

impl Root {
    /// Every root, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Input,
        Self::State,
        Self::Results,
        Self::Visits,
        Self::Run,
        Self::Item,
        Self::Index,
        Self::Error,
        Self::Secrets,
        Self::Result,
    ];

    /// The name as written in an expression.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::State => "state",
            Self::Results => "results",
            Self::Visits => "visits",
            Self::Run => "run",
            Self::Item => "item",
            Self::Index => "index",
            Self::Error => "error",
            Self::Secrets => "secrets",
            Self::Result => "result",
        }
    }

    /// The root of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|root| root.name() == name)
    }
}

/// What an expression reads: a root, or one member of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The name it starts with.
    pub root: Root,
    /// The first member, when it is known without evaluating; `None`: all of the root.
    pub member: Option<String>,
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
    /// Other unknown names in the same expression, in order of place.
    pub more: Vec<Self>,
}

impl ParseError {
    /// This one and those in `more`.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.more)
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{source_text}`: {message}")]
pub struct EvalError {
    /// The expression as written.
    pub source_text: String,
    /// What is wrong, naming the member or the types.
    pub message: String,
    /// The secret that is not there, when that is why.
    pub secret: Option<String>,
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expr {
    source: Box<str>,
    node: Node,
    references: Vec<Reference>,
}

impl Expr {
    /// The text it was parsed from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it reads, each once, in order of appearance.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// The value.
    ///
    /// # Errors
    /// Names the missing member, the types that do not fit or the cap that was hit.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        self.eval_ref(scope).map(Cow::into_owned)
    }

    /// The value, borrowed from the scope where nothing had to be computed.
    ///
    /// # Errors
    /// As [`Expr::eval`].
    pub fn eval_ref<'a>(&'a self, scope: &'a dyn Scope) -> Result<Cow<'a, Value>, EvalError> {
        eval::run(self, scope)
    }

    /// The value of a condition.
    ///
    /// # Errors
    /// As [`Expr::eval`]; also when the value is not `true` or `false`: nothing else is taken for
    /// either of them.
    pub fn test(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        match self.eval_ref(scope)?.as_ref() {
            Value::Bool(value) => Ok(*value),
            other => Err(EvalError {
                source_text: self.source().to_owned(),
                message: format!(
                    "a condition must be true or false, but this is {}",
                    functions::type_name(other)
                ),
                secret: None,
            }),
        }
    }

    /// Whether it is a plain chain of members: no computing, so nothing new to check.
    fn is_path(&self) -> bool {
        matches!(self.node, Node::Path(_))
    }
}

/// A [`ParseError`] at a byte of `source`, given to the reader in characters.
fn error_at(source: &str, byte: usize, message: impl Into<String>, mend: &str) -> ParseError {
    let offset = source
        .char_indices()
        .take_while(|(at, _)| *at < byte)
        .count();
    ParseError {
        message: message.into(),
        mend: mend.to_owned(),
        offset,
        path: String::new(),
        more: Vec::new(),
    }
}
