//! The declared type of a state key, a small part of JSON Schema: one kind or a list of kinds.
//! It looks at the outermost kind only; what is inside a list or an object is not checked.
use serde_json::Value;

use super::kind_name;

/// The kinds of value a state key may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Anything, null too.
    #[default]
    Any,
    /// Null only; useful in a list of types.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fractional part (`3.0` is one, as in JSON Schema).
    Integer,
    /// Any number.
    Number,
    /// Text.
    String,
    /// A list.
    Array,
    /// An object.
    Object,
    /// One of several, e.g. `[number, "null"]`.
    OneOf(Vec<Type>),
}

impl Type {
    /// The names a flow file may use.
    pub const NAMES: [&'static str; 8] = [
        "any", "array", "object", "string", "number", "integer", "boolean", "null",
    ];

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Any,
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    /// Reads what stands behind `type:`: a name or a non-empty list of names. A null in the list
    /// (YAML reads an unquoted `null` so) is the type `null`.
    ///
    /// # Errors
    /// Says what was found and which names there are.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let names = Self::NAMES.join(", ");
        match value {
            Value::String(name) => Self::from_name(name)
                .ok_or_else(|| format!("there is no type `{name}`; the types are {names}")),
            Value::Null => Ok(Self::Null),
            Value::Array(list) if !list.is_empty() && !list.iter().any(Value::is_array) => {
                Ok(Self::OneOf(
                    list.iter()
                        .map(Self::from_value)
                        .collect::<Result<_, _>>()?,
                ))
            }
            other => Err(format!(
                "a type is one of {names}, or a list of these, not {}",
                kind_name(other)
            )),
        }
    }

    /// Whether a write may leave `value` in the key. Null passes only where the type says `null`
    /// (or `any`): a key that was never written starts as null, and a write cannot put it back.
    ///
    /// # Errors
    /// Names the declared and the found kind.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if self.admits(value) {
            return Ok(());
        }
        Err(format!(
            "declared as {}, but this is {}",
            self.describe(),
            kind_name(value)
        ))
    }

    fn admits(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => match value {
                Value::Number(number) => number.as_f64().is_some_and(|x| x.fract() == 0.0),
                _ => false,
            },
            Self::Number => value.is_number(),
            Self::String => value.is_string(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::OneOf(types) => types.iter().any(|ty| ty.admits(value)),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Number => "number".to_owned(),
            Self::String => "string".to_owned(),
            Self::Array => "array".to_owned(),
            Self::Object => "object".to_owned(),
            Self::OneOf(types) => types
                .iter()
                .map(Self::describe)
                .collect::<Vec<_>>()
                .join(" or "),
        }
    }
}
