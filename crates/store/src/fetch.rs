//! How a verb asks one statement and reads what comes back. Knows no statement and no aggregate.
use runstone_db::{Row, Statement, Value};

use crate::{Error, SqlStore};

type Params<'a> = &'a [(&'a str, Value)];

impl SqlStore {
    /// The row of a statement that finds at most one.
    pub(crate) async fn one<T>(
        &self,
        statement: &Statement,
        params: Params<'_>,
        read: impl FnOnce(Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let row = self.database().fetch_optional(statement, params).await?;
        row.map(read).transpose()
    }

    /// Every row.
    pub(crate) async fn all<T>(
        &self,
        statement: &Statement,
        params: Params<'_>,
        read: impl FnMut(Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.database().fetch_all(statement, params).await?;
        rows.into_iter().map(read).collect()
    }

    /// The one number in the column `found`; 0 without a row.
    pub(crate) async fn found(
        &self,
        statement: &Statement,
        params: Params<'_>,
    ) -> Result<u64, Error> {
        let row = self.database().fetch_optional(statement, params).await?;
        Ok(row.map_or(Ok(0), |row| row.get("found"))?)
    }
}
