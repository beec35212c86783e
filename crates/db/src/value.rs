//! The values that cross the seam, the same for every database; a driver turns each into its own
//! type and back. JSON is text. Our own tables keep times as integers; [`Value::Time`] is for
//! native timestamp columns.
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use uuid::Uuid;

/// The year 1 and the end of the year 9999: what every database's timestamps can hold.
const FIRST_US: i64 = -62_135_596_800_000_000;
const LAST_US: i64 = 253_402_300_799_999_999;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean (SQLite: 0 or 1).
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double; NaN is refused, because SQLite would make it NULL.
    Float(f64),
    /// Text; a NUL character is refused, because PostgreSQL cannot store it.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID (PostgreSQL: `uuid`; the others: its 16 bytes, so that their order is its order).
    Uuid(Uuid),
    /// An exact decimal number of up to 28 digits (PostgreSQL: `numeric`; MySQL: `DECIMAL(65, n)`,
    /// SQL Server: `DECIMAL(38, n)`; SQLite: text without trailing zeros, in a column of type TEXT).
    /// A number in the database that has more digits is read as its text.
    Decimal(Decimal),
    /// An instant in UTC microseconds since 1970, in the years 1 to 9999, for native timestamp
    /// columns (PostgreSQL: `timestamptz` or `timestamp`; MySQL: `DATETIME(6)`; SQL Server:
    /// `DATETIME2(7)`; SQLite: an integer).
    Time(i64),
    /// A list for the marker `{{in :name:type}}`, and for nothing else. Never read back.
    List(Vec<Value>),
}

impl Value {
    /// What kind of value it is, for messages. Never the value itself: it may be a secret.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Uuid(_) => "a UUID",
            Self::Decimal(_) => "a decimal",
            Self::Time(_) => "a time",
            Self::List(_) => "a list",
        }
    }

    /// Why no database gets this value: it would not come back the same from all of them.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Float(v) if v.is_nan() => Some("NaN cannot be stored; use NULL"),
            Self::Text(v) if v.contains('\0') => {
                Some("a text with a NUL character cannot be stored; store it as bytes")
            }
            Self::Time(v) if !(FIRST_US..=LAST_US).contains(v) => {
                Some("a time outside the years 1 to 9999 cannot be stored")
            }
            Self::List(list) => list.iter().find_map(Self::refusal),
            _ => None,
        }
    }
}

macro_rules! from {
    ($($source:ty => $name:ident $make:expr),+ $(,)?) => {
        $(impl From<$source> for Value {
            fn from($name: $source) -> Self {
                $make
            }
        })+
    };
}

from! {
    bool => v Self::Bool(v),
    i16 => v Self::Int(v.into()),
    i32 => v Self::Int(v.into()),
    i64 => v Self::Int(v),
    u8 => v Self::Int(v.into()),
    u16 => v Self::Int(v.into()),
    u32 => v Self::Int(v.into()),
    f64 => v Self::Float(v),
    &str => v Self::Text(v.to_owned()),
    String => v Self::Text(v),
    Vec<u8> => v Self::Bytes(v),
    &[u8] => v Self::Bytes(v.to_vec()),
    Uuid => v Self::Uuid(v),
    Decimal => v Self::Decimal(v),
    Vec<Value> => v Self::List(v),
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// A Rust type that a column can be read as. Databases differ in what they hand back (SQLite has
/// no booleans and no UUIDs); the difference ends here.
pub trait FromValue: Sized {
    /// What is wanted, for messages: `an integer`.
    const WANTED: &'static str;

    /// Reads `value`, or gives it back when it is of another kind or out of range.
    ///
    /// # Errors
    /// The value itself, unchanged.
    fn from_value(value: Value) -> Result<Self, Value>;
}

impl FromValue for i64 {
    const WANTED: &'static str = "an integer";
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Int(v) | Value::Time(v) => Ok(v),
            Value::Decimal(v) if v.is_integer() => v.to_i64().ok_or(value),
            other => Err(other),
        }
    }
}

impl FromValue for u64 {
    const WANTED: &'static str = "an integer from 0 up";
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Int(v) => Self::try_from(v).map_err(|_| value),
            // MySQL has unsigned integers beyond ours.
            Value::Decimal(v) if v.is_integer() => v.to_u64().ok_or(value),
            other => Err(other),
        }
    }
}

macro_rules! narrow {
    ($($target:ty => $wanted:literal),+ $(,)?) => {
        $(impl FromValue for $target {
            const WANTED: &'static str = $wanted;
            fn from_value(value: Value) -> Result<Self, Value> {
                let whole = i64::from_value(value)?;
                Self::try_from(whole).map_err(|_| Value::Int(whole))
            }
        })+
    };
}

narrow! {
    i16 => "an integer of 16 bits",
    i32 => "an integer of 32 bits",
    u8 => "an integer from 0 to 255",
    u32 => "an integer from 0 to 4294967295",
    usize => "an integer from 0 up",
}

impl FromValue for bool {
    const WANTED: &'static str = "a boolean";
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Bool(v) => Ok(v),
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            other => Err(other),
        }
    }
}

impl FromValue for f64 {
    const WANTED: &'static str = "a number";
    // SQLite hands back a whole double as an integer.
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Float(v) => Ok(v),
            Value::Int(v) => Ok(v as f64),
            Value::Decimal(v) => v.to_f64().ok_or(value),
            other => Err(other),
        }
    }
}

impl FromValue for String {
    const WANTED: &'static str = "a text";
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Text(v) => Ok(v),
            other => Err(other),
        }
    }
}

impl FromValue for Vec<u8> {
    const WANTED: &'static str = "bytes";
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Bytes(v) => Ok(v),
            other => Err(other),
        }
    }
}

impl FromValue for Uuid {
    const WANTED: &'static str = "a UUID";
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Uuid(v) => Ok(v),
            Value::Bytes(v) => Self::from_slice(&v).map_err(|_| Value::Bytes(v)),
            other => Err(other),
        }
    }
}

impl FromValue for Decimal {
    const WANTED: &'static str = "a decimal of at most 28 digits";
    // SQLite has none: they are texts there. Whole ones may come as integers.
    fn from_value(value: Value) -> Result<Self, Value> {
        match &value {
            Value::Decimal(v) => Ok(*v),
            Value::Int(v) => Ok((*v).into()),
            Value::Text(v) => Self::from_str_exact(v).map_err(|_| value),
            _ => Err(value),
        }
    }
}

impl FromValue for Value {
    const WANTED: &'static str = "a value";
    fn from_value(value: Value) -> Result<Self, Value> {
        Ok(value)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const WANTED: &'static str = T::WANTED;
    fn from_value(value: Value) -> Result<Self, Value> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}
