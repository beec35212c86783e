//! The server over HTTP: a real listener, a real database, a real client.
#![expect(clippy::unwrap_used, reason = "tests")]
mod abandoned;
mod auth;
mod bulk;
mod config;
mod database;
mod docs;
mod flows;
mod harness;
mod health;
mod hostile;
mod isolation;
mod issuer;
mod lists;
mod live;
mod observing;
mod projects;
mod redis;
mod reports;
mod runs;
mod shared;
mod statistics;
mod tokens;
mod tracing;
mod watching;
