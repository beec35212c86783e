//! The real binary as a server: `dev` without keys, `serve` with them, the documentation's `curl`
//! lines as they are written, and several servers on one database of which one stops or is killed in
//! mid-run.
#![expect(clippy::unwrap_used, reason = "tests")]
mod dev;
mod harness;
#[path = "../journal_check/mod.rs"]
mod journal_check;
mod parking;
mod retrying;
mod script;
mod taking_over;
mod witness;
