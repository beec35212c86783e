//! Flow files as people write them: right ones, broken ones, random ones.
#![expect(clippy::unwrap_used, reason = "tests")]
mod kinds;
mod valid;
