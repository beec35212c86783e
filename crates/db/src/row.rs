//! One row of a result: values by column name. The names are shared by all rows of a result.
use crate::{
    error::Error,
    value::{FromValue, Value},
};
use std::{mem, sync::Arc};

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    columns: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    /// A row; `values` are in the order of `columns`.
    #[must_use]
    pub fn new(columns: Arc<[String]>, values: Vec<Value>) -> Self {
        debug_assert_eq!(
            columns.len(),
            values.len(),
            "a row has one value for each column"
        );
        Self { columns, values }
    }

    /// The column's value, copied.
    ///
    /// # Errors
    /// No such column, or a value that is not a `T`.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, Error> {
        let at = self.position(column)?;
        T::from_value(self.values[at].clone()).map_err(|found| mismatch::<T>(column, &found))
    }

    /// The column's value, moved out; the row holds NULL there afterwards.
    ///
    /// # Errors
    /// No such column, or a value that is not a `T`.
    pub fn take<T: FromValue>(&mut self, column: &str) -> Result<T, Error> {
        let at = self.position(column)?;
        let value = mem::replace(&mut self.values[at], Value::Null);
        T::from_value(value).map_err(|found| mismatch::<T>(column, &found))
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values in the order of the columns.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    fn position(&self, column: &str) -> Result<usize, Error> {
        self.columns
            .iter()
            .position(|name| name == column)
            .ok_or_else(|| {
                Error::other(format!(
                    "the result has no column `{column}`; it has {}",
                    self.columns.join(", ")
                ))
            })
    }
}

fn mismatch<T: FromValue>(column: &str, found: &Value) -> Error {
    Error::other(format!(
        "column `{column}` holds {}, wanted {}",
        found.kind(),
        T::WANTED
    ))
}
