//! The SQL store on real databases, one suite on all of them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod claiming;
mod committing;
mod doctor;
mod explain;
mod fencing;
mod harness;
mod interrupted;
mod lost_answers;
mod migrating;
mod opening;
mod parking;
mod reading;
mod statistics;
mod storage;
