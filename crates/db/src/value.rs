//! The values that cross the seam, the same for every database. Times are integers (UTC
//! microseconds), JSON is text; a driver turns each into its own type and back.
use uuid::Uuid;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean (SQLite: 0 or 1).
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID (PostgreSQL: `uuid`; SQLite: a 16-byte blob).
    Uuid(Uuid),
}
