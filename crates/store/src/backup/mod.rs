//! Backup and restore: one consistent state of the database as an archive, incremental archives
//! after it, and either of them put into a database of any kind. Where archives lie is the
//! caller's business; it gives streams and files.
pub mod archive;
mod chain;
mod error;
mod group;
mod index;
mod load;
mod meter;
mod pace;
mod reading;
mod restore;
mod retention;
mod take;
mod target;
mod verify;
mod whole;

pub use chain::{Archive, chain, newest_at};
pub use error::BackupError;
pub use meter::{Meter, Progress};
pub use restore::{Restore, Restored, restore};
pub use retention::{Keep, outdated};
pub use take::{BackupRequest, Taken};
pub(crate) use target::restore_under_way;
pub use verify::{Verified, verify};
