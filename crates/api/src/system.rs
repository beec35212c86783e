//! The system's own answers: health, version, audit, database.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It does all it should.
    Healthy,
    /// It works, but slowly or not all of it.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// What was found when everything was asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// The worst of the checks.
    pub status: State,
    /// When everything was asked, UTC.
    pub checked_at: String,
    /// The checks by name.
    pub checks: BTreeMap<String, Check>,
}

/// One thing that was asked.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// How well it is.
    pub status: State,
    /// How long it took to answer, in milliseconds.
    pub latency_ms: f64,
    /// What is wrong; nothing when it is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Which program this is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// Always `runstone`.
    pub name: String,
    /// As in `0.1.0`.
    pub version: String,
    /// The kind of database behind it.
    pub database: String,
}

/// The database behind the server.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DatabaseInfo {
    /// `sqlite`, `postgres`, `mysql` or `mssql`.
    pub kind: String,
    /// The connections.
    pub pool: Pool,
    /// Its size in bytes; of our tables where others may be in it.
    pub storage_bytes: u64,
    /// How many runs there are.
    pub runs: u64,
    /// How many flows there are.
    pub flows: u64,
    /// Where the schema stands.
    pub schema: SchemaInfo,
    /// Our tables by name.
    pub tables: Vec<TableInfo>,
    /// Statements that this server sent since it was started: the 20 that took longest, by name.
    pub statements: Vec<StatementInfo>,
}

/// Where the schema stands.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SchemaInfo {
    /// The version that the database has.
    pub version: u32,
    /// The version that this server was made for.
    pub known: u32,
    /// Migrations that this server knows, oldest first.
    pub migrations: Vec<MigrationInfo>,
    /// In what the tables are others than they should be: they were changed by hand.
    pub drift: Vec<String>,
}

/// One migration.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MigrationInfo {
    /// Its number.
    pub version: u32,
    /// Its name.
    pub name: String,
    /// When it was applied, UTC; nothing when it was not.
    pub applied_at: Option<String>,
}

/// How large a table is, as the database says without counting.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// Bytes with its indexes; nothing in an SQLite file of more than 2 GiB.
    pub bytes: Option<u64>,
    /// About how many rows; nothing in an SQLite file of more than 2 GiB.
    pub rows: Option<u64>,
}

/// What was done for the database.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Maintenance {
    /// Every statement, in its order.
    pub steps: Vec<MaintenanceStep>,
    /// Whether all of them were carried out.
    pub complete: bool,
    /// How long all of it took.
    pub duration_ms: f64,
}

/// One statement of a database's upkeep.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MaintenanceStep {
    /// The statement.
    pub statement: String,
    /// How long it took.
    pub duration_ms: f64,
    /// Why it was not carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What all executions of one statement took.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StatementInfo {
    /// Its name, as in `run.insert`; of several that were sent together all names.
    pub name: String,
    /// How often it was executed.
    pub count: u64,
    /// How often it failed.
    pub failed: u64,
    /// How often it was slower than `log.slow_statement_ms`.
    pub slow: u64,
    /// Rows that it returned or changed, of all executions.
    pub rows: u64,
    /// The mean time, in milliseconds; with the wait for a connection.
    pub mean_ms: f64,
    /// The longest time, in milliseconds; with the wait for a connection.
    pub max_ms: f64,
}

/// How busy the connections are.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// At most so many.
    pub max: u64,
    /// So many are open.
    pub open: u64,
    /// So many of the open ones are free.
    pub idle: u64,
    /// So many callers wait for one.
    pub waiting: u64,
}

/// One thing that somebody did, or was not let do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Its id; the order of ids is the order of time.
    pub id: Uuid,
    /// When, UTC.
    pub at: String,
    /// The project, where the path names one.
    pub project: Option<Uuid>,
    /// Who: `key:<id>`, `oidc:<subject>`, `local`, or `anonymous`.
    pub actor: String,
    /// The operation, as in `runs.start`.
    pub action: String,
    /// The path.
    pub target: String,
    /// The HTTP status of the answer.
    pub status: i32,
    /// Names the request in the logs.
    pub trace_id: String,
    /// Where it came from.
    pub address: String,
}
