//! Writes an archive front to back. Holds one chunk in memory; the sink is any stream, nothing in
//! it is ever changed afterwards.
use std::{collections::BTreeMap, io::Write};

use runstone_db::Value;
use zstd::bulk::Compressor;

use super::{
    ArchiveError, CHUNK_MAX, Encryption, FORMAT, HASH, Header, MAGIC, Passphrase, Section, Trailer,
    frame::{self, Head, Type},
    rows,
    seal::{Cost, Seal},
    section::SECTIONS,
};

/// A chunk is closed at this size, before compression.
const CHUNK: usize = 1 << 20;
/// zstd's default: beyond it the time grows faster than the space shrinks.
const LEVEL: i32 = 3;

/// An archive that is being written.
pub struct Writer<W> {
    out: Hashed<W>,
    seal: Option<Seal>,
    zstd: Compressor<'static>,
    number: u32,
    section: Option<Section>,
    chunk: Vec<u8>,
    rows: u32,
    counts: BTreeMap<Section, u64>,
    raw: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the head of the file. Sets the header's `encryption` and `sections`.
    ///
    /// # Errors
    /// The sink's.
    pub fn begin(
        out: W,
        mut header: Header,
        passphrase: Option<&Passphrase>,
        cost: Cost,
    ) -> Result<Self, ArchiveError> {
        header.sections = Header::our_sections();
        header.encryption = passphrase.map(|_| Encryption::fresh(cost)).transpose()?;
        let json = serde_json::to_vec(&header).map_err(|e| wrong(e.to_string()))?;
        let length = u32::try_from(json.len()).map_err(|_| wrong("the header is too long"))?;
        let mut head = MAGIC.to_vec();
        head.extend(FORMAT.to_le_bytes());
        head.extend(length.to_le_bytes());
        head.extend(json);
        let hash: [u8; HASH] = blake3::hash(&head).into();
        head.extend(hash);
        let seal = match (&header.encryption, passphrase) {
            (Some(how), Some(passphrase)) => Some(Seal::new(how, passphrase, hash).map_err(wrong)?),
            _ => None,
        };
        let mut out = Hashed::new(out);
        out.write(&head)?;
        let mut writer = Self {
            out,
            seal,
            zstd: Compressor::new(LEVEL)?,
            number: 0,
            section: None,
            chunk: Vec::with_capacity(CHUNK + CHUNK / 4),
            rows: 0,
            counts: BTreeMap::new(),
            raw: 0,
        };
        writer.frame(Type::Begin, 0, 0, &[])?;
        Ok(writer)
    }

    /// Adds a row; `row` has a value for each of the section's columns.
    ///
    /// # Errors
    /// The sink's; a value that has no place in an archive.
    pub fn row(&mut self, section: Section, row: &[Value]) -> Result<(), ArchiveError> {
        if self.section != Some(section) {
            self.cut()?;
            self.section = Some(section);
        }
        rows::put(row, &mut self.chunk).map_err(wrong)?;
        self.rows += 1;
        *self.counts.entry(section).or_default() += 1;
        if self.chunk.len() >= CHUNK {
            self.cut()?;
        }
        Ok(())
    }

    /// Closes the chunk: the next row begins a new one.
    ///
    /// # Errors
    /// The sink's.
    pub fn cut(&mut self) -> Result<(), ArchiveError> {
        let Some(section) = self.section.take().filter(|_| self.rows > 0) else {
            return Ok(());
        };
        let number = SECTIONS.iter().position(|one| *one == section);
        let number = number.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
        let chunk = std::mem::take(&mut self.chunk);
        let rows = std::mem::take(&mut self.rows);
        self.frame(Type::Rows, number, rows, &chunk)?;
        self.raw += chunk.len() as u64;
        self.chunk = chunk;
        self.chunk.clear();
        // One large row must not keep its memory for the rest of the archive.
        self.chunk.shrink_to(2 * CHUNK);
        Ok(())
    }

    /// Writes the end; answers the sink, which has not been flushed, the trailer, and how many
    /// bytes were written.
    ///
    /// # Errors
    /// The sink's.
    pub fn finish(mut self) -> Result<(W, Trailer, u64), ArchiveError> {
        self.cut()?;
        let counts = SECTIONS.iter().map(|section| {
            let count = self.counts.get(section).copied().unwrap_or(0);
            (section.name().to_owned(), count)
        });
        let trailer = Trailer {
            rows: counts.collect(),
            raw_bytes: self.raw,
        };
        let json = trailer.json()?;
        self.frame(Type::End, 0, 0, &json)?;
        let hash = self.out.hasher.finalize();
        let mut out = self.out.inner;
        out.write_all(hash.as_bytes())?;
        Ok((out, trailer, self.out.count + HASH as u64))
    }

    /// Bytes written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.out.count
    }

    fn frame(
        &mut self,
        kind: Type,
        section: u8,
        rows: u32,
        plain: &[u8],
    ) -> Result<(), ArchiveError> {
        let raw = u32::try_from(plain.len())
            .ok()
            .filter(|raw| *raw <= CHUNK_MAX)
            .ok_or_else(|| wrong("a row is larger than a backup can hold (256 MiB)"))?;
        let mut payload = raw.to_le_bytes().to_vec();
        payload.extend(self.zstd.compress(plain)?);
        let sealed = self.seal.as_ref().map_or(0, |_| Seal::overhead());
        let length =
            u32::try_from(payload.len() + sealed).map_err(|_| wrong("a chunk is too large"))?;
        let head = Head {
            kind,
            section,
            number: self.number,
            rows,
            length,
        };
        let head = head.bytes();
        if let Some(seal) = &self.seal {
            seal.seal(self.number, &head, &mut payload)?;
        }
        self.out.write(&head)?;
        self.out.write(&payload)?;
        self.out.write(&frame::hash(&head, &payload))?;
        self.number = self
            .number
            .checked_add(1)
            .ok_or_else(|| wrong("the backup has too many chunks"))?;
        Ok(())
    }
}

fn wrong(message: impl Into<String>) -> ArchiveError {
    ArchiveError::Unwritable(message.into())
}

/// A sink that hashes and counts what goes through.
struct Hashed<W> {
    inner: W,
    hasher: blake3::Hasher,
    count: u64,
}

impl<W: Write> Hashed<W> {
    fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: blake3::Hasher::new(),
            count: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.inner.write_all(bytes)?;
        self.hasher.update(bytes);
        self.count += bytes.len() as u64;
        Ok(())
    }
}

impl<W> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
