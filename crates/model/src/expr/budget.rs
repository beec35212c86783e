//! What one evaluation may cost. The budget counts work and bytes instead of reading a clock, so
//! the same expression on the same values ends the same way on every machine and in every replay.
use std::cell::Cell;

use serde_json::Value;

use super::EvalError;
use crate::limits::{MAX_DEPTH, MAX_RESULT_BYTES};

/// Units of work in one evaluation; one is a node of the expression, an item visited, a value
/// compared or [`BYTES_PER_UNIT`] bytes of text looked at.
pub(crate) const MAX_WORK: u64 = 1_000_000;
/// Bytes that all lists, objects and texts built by one evaluation may take together.
pub(crate) const MAX_BUILT_BYTES: usize = 4 * MAX_RESULT_BYTES;
/// Bytes of text that cost one unit of work.
const BYTES_PER_UNIT: usize = 32;

/// Why an evaluation stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A member, key or element that is not there: what `coalesce` passes over.
    Missing(String),
    /// A secret that is not there: `coalesce` passes over it too.
    NoSecret(String),
    /// Any other mistake; `&&` and `||` pass over it when the other side decides.
    Failed(String),
    /// The budget is used up: nothing passes over this.
    Spent(String),
}

impl Stop {
    /// The error of the expression `source`.
    pub(crate) fn of(self, source: &str) -> EvalError {
        let (message, secret) = match self {
            Self::Missing(message) | Self::Failed(message) | Self::Spent(message) => {
                (message, None)
            }
            Self::NoSecret(name) => (format!("there is no secret `{name}`"), Some(name)),
        };
        EvalError {
            source_text: source.to_owned(),
            message,
            secret,
        }
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

/// Counts down during one evaluation.
pub(crate) struct Budget {
    work: Cell<u64>,
    bytes: Cell<usize>,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            work: Cell::new(MAX_WORK),
            bytes: Cell::new(MAX_BUILT_BYTES),
        }
    }

    pub(crate) fn spend(&self, units: u64) -> Result<(), Stop> {
        match self.work.get().checked_sub(units) {
            Some(left) => {
                self.work.set(left);
                Ok(())
            }
            None => Err(Stop::Spent(format!(
                "the evaluation takes more than {MAX_WORK} steps; work on fewer items, or do this \
                 in a node"
            ))),
        }
    }

    /// Work on `bytes` of text.
    pub(crate) fn read(&self, bytes: usize) -> Result<(), Stop> {
        self.spend((bytes / BYTES_PER_UNIT) as u64)
    }

    /// `bytes` of something new.
    pub(crate) fn build(&self, bytes: usize) -> Result<(), Stop> {
        self.read(bytes)?;
        match self.bytes.get().checked_sub(bytes) {
            Some(left) => {
                self.bytes.set(left);
                Ok(())
            }
            None => Err(Stop::Spent(format!(
                "the evaluation builds more than {} MiB of values",
                MAX_BUILT_BYTES >> 20
            ))),
        }
    }

    /// A copy of `value`.
    pub(crate) fn copy(&self, value: &Value) -> Result<(), Stop> {
        match value {
            Value::Array(_) | Value::Object(_) => {
                let size = Size::of(value)?;
                self.spend(size.values)?;
                self.build(size.bytes)
            }
            scalar => self.build(scalar_bytes(scalar)),
        }
    }
}

/// How large a value is, about as JSON.
#[derive(Default)]
pub(crate) struct Size {
    pub(crate) bytes: usize,
    pub(crate) values: u64,
}

impl Size {
    /// # Errors
    /// When the value nests deeper than [`MAX_DEPTH`].
    pub(crate) fn of(value: &Value) -> Result<Self, String> {
        let mut size = Self::default();
        size.add(value, 0)?;
        Ok(size)
    }

    fn add(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("the value nests deeper than {MAX_DEPTH} levels"));
        }
        self.values += 1;
        match value {
            Value::Array(items) => {
                self.bytes += 2 + items.len();
                items.iter().try_for_each(|item| self.add(item, depth + 1))
            }
            Value::Object(fields) => {
                self.bytes += 2;
                fields.iter().try_for_each(|(name, field)| {
                    self.bytes += name.len() + 4;
                    self.add(field, depth + 1)
                })
            }
            scalar => {
                self.bytes += scalar_bytes(scalar);
                Ok(())
            }
        }
    }
}

fn scalar_bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Number(_) => 8,
        _ => 4,
    }
}

/// Refuses a finished result that a step could not keep.
pub(crate) fn check_result(value: &Value) -> Result<(), String> {
    let bytes = match value {
        Value::Array(_) | Value::Object(_) => Size::of(value)?.bytes,
        scalar => scalar_bytes(scalar),
    };
    if bytes > MAX_RESULT_BYTES {
        return Err(format!(
            "the result is larger than {} MiB; keep large things outside the run and pass a \
             reference",
            MAX_RESULT_BYTES >> 20
        ));
    }
    Ok(())
}
