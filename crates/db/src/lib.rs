//! The database layer: one seam over several SQL databases. Named parameters, values, rows, pools,
//! transactions, error classes, retries and migrations; knows nothing of flows or runs.
pub mod bare;
mod batch;
mod breaker;
mod database;
mod dialect;
mod error;
mod maintain;
mod migrate;
mod mssql;
mod mysql;
mod options;
mod pool;
mod postgres;
mod retry;
mod row;
mod snapshot;
mod sqlite;
mod statement;
mod timing;
mod tls;
mod token;
mod transaction;
mod url;
pub mod value;

pub use batch::{Batch, BatchStep};
pub use breaker::{Circuit, Health};
pub use database::{Database, PoolStats};
pub use dialect::Dialect;
pub use error::{Class, Error, masked};
pub use maintain::Maintained;
pub use migrate::{
    Difference, Interrupted, Migration, MigrationStatus, Migrator, PlannedMigration,
    PlannedStatement, Schema, Way,
};
pub use options::Options;
pub use retry::{RetryPolicy, retry};
pub use row::Row;
pub use rust_decimal::Decimal;
pub use snapshot::{Isolation, Snapshot};
pub use statement::{Direction, Leg, RenderError, Statement};
pub use timing::{SlowStatement, Timing};
pub use transaction::Tx;
pub use value::{FromValue, Value};
