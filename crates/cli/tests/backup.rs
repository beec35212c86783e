//! `backup` and `restore` of the real binary: what they say, every way in which they fail, schedules
//! and retention, being killed in the middle, and a store that speaks S3.
#![expect(clippy::unwrap_used, reason = "tests")]
#[path = "backup/killed.rs"]
mod killed;
#[path = "backup/local.rs"]
mod local;
#[path = "backup/place.rs"]
mod place;
#[path = "backup/s3.rs"]
mod s3;
#[path = "backup/schedule.rs"]
mod schedule;
