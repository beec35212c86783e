//! Flow files as people write them: right ones, broken ones, random ones.
#![expect(clippy::unwrap_used, reason = "tests")]
mod draw;
mod kinds;
mod valid;
