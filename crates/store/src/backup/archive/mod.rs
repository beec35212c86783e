//! The archive format: one file of checksummed, compressed and perhaps encrypted chunks of rows,
//! read and written as a stream. Pure: bytes in, rows out; knows no database and no file system.
//! `docs/backup.md` describes every byte of it.
mod error;
mod frame;
mod header;
mod read;
mod rows;
mod seal;
mod section;
mod tables;
mod write;

pub use error::ArchiveError;
pub use header::{Encryption, Header, Trailer};
pub use read::Reader;
pub use rows::Chunk;
pub(crate) use rows::weight as rows_weight;
pub use seal::{Cost, Passphrase};
pub(crate) use section::SECTIONS;
pub use section::Section;
pub use write::Writer;

/// The first bytes of an archive. The first byte is not text, and the line ends show a transfer
/// that changed them.
pub const MAGIC: [u8; 8] = *b"\x89RSB\r\n\x1a\n";
/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
/// A hash's bytes.
const HASH: usize = 32;
/// The largest header that is read.
const HEADER_MAX: u32 = 1 << 20;
/// The most bytes of one chunk, before compression: far above the largest row there can be.
const CHUNK_MAX: u32 = 256 << 20;

#[cfg(test)]
mod tests;
