//! The SQL store on real databases: SQLite always, PostgreSQL when `RUNSTONE_TEST_POSTGRES_URL`
//! names a server.
#![expect(clippy::unwrap_used, reason = "tests")]

mod claiming;
mod committing;
mod doctor;
mod explain;
mod fencing;
mod harness;
mod lost_answers;
mod migrating;
mod opening;
mod reading;
