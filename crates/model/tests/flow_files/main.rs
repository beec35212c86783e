//! Flow files as people write them: right ones, broken ones, random ones.
#![expect(clippy::unwrap_used, reason = "tests")]
mod draw;
mod format;
mod kinds;
mod random;
mod valid;
