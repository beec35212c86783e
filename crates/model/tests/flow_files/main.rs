//! Flow files as people write them: right ones, broken ones, random ones.
#![expect(clippy::unwrap_used, reason = "tests")]
mod broken;
mod documents;
mod draw;
mod format;
mod input;
mod kinds;
mod large;
mod random;
mod valid;
