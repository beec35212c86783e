//! Moves the schema in one transaction under a lock, where the database can undo DDL (SQLite,
//! PostgreSQL, SQL Server): it gets where it was sent, or stays where it is.
use super::{
    Work,
    ledger::Ledger,
    plan::{PlannedMigration, Way},
};
use crate::{dialect::Dialect, error::Error, transaction::Tx};

/// The lock on PostgreSQL: "runstone" in ASCII.
const LOCK_KEY: i64 = 0x7275_6e73_746f_6e65;
/// SQL Server's locks by name belong to the database; this one ends with the transaction.
const LOCK_MSSQL: &str = "DECLARE @got INT;
EXEC @got = sp_getapplock @Resource = 'runstone_migrations', @LockMode = 'Exclusive',
  @LockOwner = 'Transaction', @LockTimeout = -1;
IF @got < 0 RAISERROR('the lock for migrations was refused', 16, 1)";

pub(super) async fn run(tx: &mut Tx, work: &Work) -> Result<Vec<u32>, Error> {
    lock(tx, work.dialect).await?;
    let ledger = Ledger::new(work.dialect);
    ledger.create(tx).await?;
    let history = ledger.read(tx).await?;
    let mut done = Vec::new();
    for planned in work.plan(&history)? {
        statements(tx, &planned).await?;
        match planned.way {
            Way::Up => ledger.add(tx, &work.entry(planned.version)?).await?,
            Way::Down => ledger.remove(tx, planned.version).await?,
        }
        done.push(planned.version);
    }
    Ok(done)
}

async fn lock(tx: &mut Tx, dialect: Dialect) -> Result<(), Error> {
    match dialect {
        // The transaction has the only writer.
        Dialect::Sqlite | Dialect::Mysql => Ok(()),
        Dialect::Postgres => {
            tx.raw("SET LOCAL statement_timeout = 0").await?;
            tx.raw(&format!("SELECT pg_advisory_xact_lock({LOCK_KEY})"))
                .await
        }
        Dialect::Mssql => tx.raw(LOCK_MSSQL).await,
    }
}

async fn statements(tx: &mut Tx, planned: &PlannedMigration) -> Result<(), Error> {
    for statement in &planned.statements {
        tx.raw(statement.sql).await.map_err(|mut error| {
            error.message = format!("{}: {}", planned.place(statement.line), error.message);
            error
        })?;
    }
    Ok(())
}
