//! One consistent state of a database, read page by page while others go on writing. Never writes,
//! and never waits for the writers or keeps them waiting, but on a SQL Server that has no snapshots.
use crate::{
    database::bind, error::Error, row::Row, sqlite::SqliteSnapshot, statement::Statement,
    transaction::Tx, value::Value,
};

/// A consistent state. It lasts until this is dropped, however long that takes; its connection is
/// thrown away then. See [`Database::snapshot`](crate::Database::snapshot).
#[derive(Debug)]
pub struct Snapshot {
    backend: Backend,
    isolation: Isolation,
}

/// How a state is kept the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// By row versions: nobody waits.
    Versions,
    /// By locks, because the database has no row versions: who wants to write what was read waits
    /// until the snapshot is dropped.
    Locks,
}

#[derive(Debug)]
enum Backend {
    Sqlite(SqliteSnapshot),
    Session(Tx),
}

/// On a SQL Server that may keep row versions (`ALLOW_SNAPSHOT_ISOLATION ON`); fails on another.
const MSSQL_VERSIONS: [&str; 4] = [
    "IF @@TRANCOUNT > 0 ROLLBACK",
    "IF NOT EXISTS (SELECT 1 FROM sys.databases \
     WHERE name = DB_NAME() AND snapshot_isolation_state = 1) \
     THROW 50000, 'the database keeps no row versions', 1",
    "SET TRANSACTION ISOLATION LEVEL SNAPSHOT",
    "BEGIN TRANSACTION",
];
const MSSQL_LOCKS: [&str; 3] = [
    "IF @@TRANCOUNT > 0 ROLLBACK",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "BEGIN TRANSACTION",
];

impl Snapshot {
    pub(crate) fn sqlite(snapshot: SqliteSnapshot) -> Self {
        Self {
            backend: Backend::Sqlite(snapshot),
            isolation: Isolation::Versions,
        }
    }

    /// `tx` was begun as a snapshot.
    pub(crate) fn begun(tx: Tx) -> Self {
        Self {
            backend: Backend::Session(tx),
            isolation: Isolation::Versions,
        }
    }

    /// Turns a transaction that has done nothing into a snapshot. Its connection is set to what no
    /// other work wants, and is thrown away afterwards.
    async fn turned(mut tx: Tx, with: &[&str]) -> Result<Self, Error> {
        for sql in with {
            tx.raw(sql).await?;
        }
        Ok(Self::begun(tx))
    }

    /// By row versions; an error where the database keeps none.
    pub(crate) async fn mssql_versions(tx: Tx) -> Result<Self, Error> {
        Self::turned(tx, &MSSQL_VERSIONS).await
    }

    /// By locks.
    pub(crate) async fn mssql_locks(tx: Tx) -> Result<Self, Error> {
        let mut snapshot = Self::turned(tx, &MSSQL_LOCKS).await?;
        snapshot.isolation = Isolation::Locks;
        Ok(snapshot)
    }

    /// How the state is kept the same.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Executes one statement that only reads and answers all its rows.
    ///
    /// # Errors
    /// What the database answered; the statement writes; a parameter is missing or unknown.
    pub async fn fetch_all(
        &mut self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<Vec<Row>, Error> {
        if statement.writes() {
            return Err(Error::other("a snapshot can only be read").of(statement.name_arc()));
        }
        match &mut self.backend {
            Backend::Sqlite(snapshot) => snapshot.fetch(statement, bind(statement, params)?).await,
            Backend::Session(tx) => tx.fetch_all(statement, params).await,
        }
    }
}
