//! Reducers: how one write changes one state key, in place and without cloning what is there.
//! Pure functions on JSON; which write comes first is the run state machine's business.
mod fold;
mod key_type;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use key_type::Type;

/// How a write changes the value of a state key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reducer {
    /// The write takes the place of the value.
    #[default]
    Replace,
    /// A list is concatenated; anything else becomes one more element.
    Append,
    /// Objects are merged at every depth; a null in the write replaces what was there.
    Merge,
    /// The sum; integers stay integers.
    Add,
    /// The smaller number.
    Min,
    /// The larger number.
    Max,
    /// A list without duplicates, in order of first appearance.
    Union,
    /// Messages: an `id` already in the list is replaced in its place, others are appended.
    Messages,
}

impl Reducer {
    /// Every reducer, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::Replace,
        Self::Append,
        Self::Merge,
        Self::Add,
        Self::Min,
        Self::Max,
        Self::Union,
        Self::Messages,
    ];

    /// The value before any write when the flow gives no `default`: the empty list, object or sum
    /// of the reducers that have one, else null.
    #[must_use]
    pub fn initial(self) -> Value {
        match self {
            Self::Append | Self::Union | Self::Messages => Value::Array(Vec::new()),
            Self::Merge => Value::Object(serde_json::Map::new()),
            Self::Add => Value::from(0),
            Self::Replace | Self::Min | Self::Max => Value::Null,
        }
    }

    /// The name used in a flow file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Append => "append",
            Self::Merge => "merge",
            Self::Add => "add",
            Self::Min => "min",
            Self::Max => "max",
            Self::Union => "union",
            Self::Messages => "messages",
        }
    }

    /// The reducer of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reducer| reducer.name() == name)
    }

    /// Folds `write` into `current`. A null `current` is a key that nothing was written to yet:
    /// it stands for the reducer's neutral element (empty list, empty object, no number). The cost
    /// is that of the write, not of the value, except for `union` and `messages`, which look
    /// through the list once.
    ///
    /// # Errors
    /// Says which kind the reducer takes and which it was given; `current` is then unchanged.
    pub fn fold(self, current: &mut Value, write: Value) -> Result<(), String> {
        match self {
            Self::Replace => *current = write,
            Self::Append => fold::append(current, write)?,
            Self::Merge => fold::merge(current, write)?,
            Self::Add => fold::add(current, &write)?,
            Self::Min => fold::extreme(current, write, std::cmp::Ordering::Less, "min")?,
            Self::Max => fold::extreme(current, write, std::cmp::Ordering::Greater, "max")?,
            Self::Union => fold::union(current, write)?,
            Self::Messages => fold::messages(current, write)?,
        }
        Ok(())
    }
}

/// The JSON Schema name of the kind of a value, with `integer` told from `number`.
#[must_use]
pub(crate) fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
