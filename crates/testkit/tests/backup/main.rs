//! R10: a backup of any kind of database, taken while runs go on, restored into any kind: the same
//! is there, the doctor finds nothing, and what was not finished goes on to the same end.
#![expect(clippy::unwrap_used, reason = "tests")]
mod archives;
mod broken;
mod filling;
mod increments;
mod matrix;
mod others;
