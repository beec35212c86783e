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

    /// The next column; a statement that does not read it is at fault, not the row.
    pub(crate) fn next<T: FromValue>(&mut self) -> Result<T, Error> {
        self.column += 1;
        let Some(value) = self.values.next() else {
            return Err(self.corrupt("the statement reads no such column"));
        };
        T::from_value(value)
            .map_err(|found| self.corrupt(format!("found {}, wanted {}", found.kind(), T::WANTED)))
    }

    /// The next column, one of the large ones at the end which statements of lists do not read.
    pub(crate) fn large<T: FromValue + Default>(&mut self) -> Result<T, Error> {
        if self.values.as_slice().is_empty() {
            return Ok(T::default());
        }
        self.next()
    }

    /// An error about the column read last.
    pub(crate) fn corrupt(&self, message: impl Into<String>) -> Error {
        Error::Corrupt {
            place: format!("{}, column {}", self.place, self.column),
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_no_statement_reads_is_not_taken_for_an_empty_one() {
        let row = Row::new(["id".to_owned()].into(), vec![Value::Null]);
        let mut cells = Cells::new("runs", row);
        assert_eq!(cells.next::<Option<i64>>(), Ok(None));
        let missing = cells.next::<Option<i64>>();
        assert_eq!(
            missing.map_err(|error| error.to_string()).err().as_deref(),
            Some(
                "the database holds something unexpected in runs, column 2: the statement reads no such column"
            )
        );
        assert_eq!(cells.large::<Option<i64>>(), Ok(None));
    }
}
