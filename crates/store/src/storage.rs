//! What the database takes on its disk, and its upkeep while it is used. Knows which tables are
//! ours, and nothing of what they hold.
use std::time::Duration;

use runstone_db::{Class, Dialect, Error as DbError, Maintained};

use crate::{Error, SchemaStatus, SqlStore, cells::Cells, schema};

/// An SQLite file up to so many bytes is looked at page by page: a server's catalogue knows.
const LOOKED_THROUGH_BYTES: u64 = 2 << 30;

/// How large a table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Bytes with its indexes; None where finding out would take too long.
    pub bytes: Option<u64>,
    /// About how many rows it has; None as for bytes.
    pub rows: Option<u64>,
}

impl SqlStore {
    /// How large the database is, in bytes; on PostgreSQL our tables with their indexes.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn storage_bytes(&self) -> Result<u64, Error> {
        let statement = &self.sql().storage_bytes;
        let row = self.database().fetch_optional(statement, &[]).await?;
        Ok(row.map_or(Ok(0), |row| row.get("bytes"))?)
    }

    /// How many runs and flows there are.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn counted(&self) -> Result<(u64, u64), Error> {
        let statement = &self.sql().storage_rows;
        let row = self.database().fetch_optional(statement, &[]).await?;
        Ok(match row {
            Some(row) => (row.get("runs_found")?, row.get("flows_found")?),
            None => (0, 0),
        })
    }

    /// How large each of our tables is, by name; as far as the database knows without counting.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn table_sizes(&self) -> Result<Vec<TableSize>, Error> {
        let sqlite = self.database().dialect() == Dialect::Sqlite;
        let known = match sqlite && self.storage_bytes().await? > LOOKED_THROUGH_BYTES {
            true => Vec::new(),
            false => self.known_sizes().await?,
        };
        let unknown = |name| TableSize {
            name,
            bytes: None,
            rows: None,
        };
        let ours = self.tables()?.into_iter().map(|name| {
            let found = known.iter().find(|size| size.name == name);
            found.cloned().unwrap_or_else(|| unknown(name))
        });
        Ok(ours.collect())
    }

    async fn known_sizes(&self) -> Result<Vec<TableSize>, Error> {
        let read = |row| {
            let mut cells = Cells::new("storage", row);
            Ok(TableSize {
                name: cells.next()?,
                bytes: Some(cells.next()?),
                rows: Some(cells.next()?),
            })
        };
        match self.all(&self.sql().storage_tables, &[], read).await {
            Err(Error::Unavailable(_)) if self.database().ping().await.is_ok() => Ok(Vec::new()),
            found => found,
        }
    }

    /// The names of our tables.
    fn tables(&self) -> Result<Vec<String>, DbError> {
        let wanted = schema::wanted(self.database().dialect())?;
        Ok(wanted.tables().map(str::to_owned).collect())
    }

    /// Where the schema stands.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn schema_status(&self) -> Result<SchemaStatus, DbError> {
        SchemaStatus::of(self.database()).await
    }

    /// Does for our tables what is safe while they are used: see [`runstone_db::Database::maintain`].
    ///
    /// # Errors
    /// The database is away; what one step answers is told with it.
    pub async fn maintain(&self, budget: Duration) -> Result<Vec<Maintained>, Error> {
        let tables = self.tables()?;
        let done = self.database().maintain(&tables, budget).await;
        let away = done.iter().find_map(|step| match &step.done {
            Err(error) if error.class == Class::Unavailable => Some(error.clone()),
            _ => None,
        });
        away.map_or(Ok(done), |error| Err(error.into()))
    }
}
