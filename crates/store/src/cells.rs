//! Reads a database row column by column, in the order of its SELECT, and turns what does not fit
//! into [`Error::Corrupt`] with its place. Knows no table.
use runstone_db::{FromValue, Row, Value};

use crate::Error;

/// The values of one row, taken from left to right.
pub(crate) struct Cells {
    place: &'static str,
    column: usize,
    values: std::vec::IntoIter<Value>,
}

impl Cells {
    /// Starts at the first column; `place` names the statement or table for errors.
    pub(crate) fn new(place: &'static str, row: Row) -> Self {
        Self {
            place,
            column: 0,
            values: row.into_values().into_iter(),
        }
    }

    /// The next column.
    pub(crate) fn next<T: FromValue>(&mut self) -> Result<T, Error> {
        self.column += 1;
        let value = self.values.next().unwrap_or(Value::Null);
        T::from_value(value)
            .map_err(|found| self.corrupt(format!("found {}, wanted {}", found.kind(), T::WANTED)))
    }

    /// An error about the column read last.
    pub(crate) fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::Corrupt {
            place: format!("{}, column {}", self.place, self.column),
            message: message.into(),
        }
    }
}
