//! The real binary, in temporary folders: what people see, what programs read, every exit code,
//! every kind of bad input, stopping and going on. PostgreSQL when `RUNSTONE_TEST_POSTGRES_URL` is
//! set.
#![expect(clippy::unwrap_used, reason = "tests")]
mod bad_input;
mod database;
mod flow_files;
mod gate;
mod harness;
mod help;
mod interrupt;
mod limits;
mod run;
mod show;
mod upkeep;
