//! Documents, threads, agents and exports over HTTP: a real server on a real database.
#![expect(clippy::unwrap_used, reason = "tests")]

mod agents;
mod documents;
mod exports;
mod harness;
mod once;
mod threads;
