//! Flow files as people write them: right ones, broken ones, random ones.
#![expect(clippy::unwrap_used, reason = "tests")]
mod broken;
mod draw;
mod format;
mod kinds;
mod large;
mod random;
mod valid;
