//! The seam against real databases: every claim is held against each of them by the same code.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests; their keys need only be new"
)]
mod batches;
mod cancel;
mod connecting;
mod edges;
mod encrypted;
mod failover;
mod fixture;
mod migrations;
mod mysql;
mod native;
mod pooled;
mod pools;
mod snapshots;
mod sqlite_files;
mod timed;
mod transactions;
mod trusted;
mod trusted_mssql;
mod values;
