//! Turns the database layer's error classes into what the engine can act on.
use runstone_db::{Class, Error as DbError};

use crate::Error;

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        match error.class {
            Class::Serialization
            | Class::Busy
            | Class::Gone
            | Class::Unavailable
            | Class::Timeout => Self::Unavailable(error.to_string()),
            // Which statement came upon it says nothing: the next one will too.
            Class::Corrupt => Self::Damaged(error.message),
            Class::Unique | Class::ReadOnly | Class::Full | Class::Expectation | Class::Other => {
                Self::Other(error.to_string())
            }
        }
    }
}

/// Whether the same work may succeed when tried again, given that the writer checks first what
/// became of the earlier attempt.
pub(crate) fn may_pass(class: Class) -> bool {
    class.is_retryable() || matches!(class, Class::Unavailable | Class::Timeout)
}
