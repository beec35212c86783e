//! The real engine on the oracle, in virtual time, so that an hour takes a moment and lateness is a
//! number: runs that wait, and runs that an engine has without knowing.
#![expect(clippy::unwrap_used, reason = "tests")]
mod lost;
mod parking;
mod place;
