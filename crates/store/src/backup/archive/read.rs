//! Reads an archive front to back, believing nothing: every length is checked before it is used,
//! every byte is under a checksum, and whatever is wrong is an error with its place.
use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use super::{
    ArchiveError, CHUNK_MAX, Chunk, FORMAT, HASH, HEADER_MAX, Header, MAGIC, Passphrase, Section,
    Trailer,
    frame::{self, HEAD, Head, Type},
    header::Layout,
    rows::Taker,
    seal::Seal,
    section::SECTIONS,
};

/// An archive that is being read.
pub struct Reader<R> {
    input: Input<R>,
    header: Header,
    layout: Vec<Layout>,
    seal: Option<Seal>,
    number: u32,
    counts: BTreeMap<Section, u64>,
    /// The sections whose rows are wanted.
    wanted: Vec<Section>,
    trailer: Option<Trailer>,
}

struct Input<R> {
    inner: R,
    hasher: blake3::Hasher,
    at: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the head of the file, and whether the passphrase opens it.
    ///
    /// # Errors
    /// It is no archive, a newer one, a damaged one, or the passphrase is missing or wrong.
    pub fn open(input: R, passphrase: Option<&Passphrase>) -> Result<Self, ArchiveError> {
        let mut input = Input {
            inner: input,
            hasher: blake3::Hasher::new(),
            at: 0,
        };
        let (header, hash) = header(&mut input)?;
        let wrong = |problem| malformed(0, "the header", problem);
        if header.compression != "zstd" {
            return Err(wrong("it is compressed in an unknown way".to_owned()));
        }
        let seal = match (&header.encryption, passphrase) {
            (None, _) => None,
            (Some(_), None) => return Err(ArchiveError::PassphraseMissing),
            (Some(how), Some(passphrase)) => Some(Seal::new(how, passphrase, hash).map_err(wrong)?),
        };
        let mut reader = Self {
            input,
            layout: header.layout().map_err(wrong)?,
            header,
            seal,
            number: 0,
            counts: BTreeMap::new(),
            wanted: SECTIONS.to_vec(),
            trailer: None,
        };
        let at = reader.input.at;
        match reader.frame()? {
            (head, payload) if head.kind == Type::Begin => {
                reader.unpacked(&head, payload, at)?;
            }
            _ => return Err(malformed(at, "chunk 0", "it is not the first one")),
        }
        Ok(reader)
    }

    /// The manifest.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// From now on only rows of these sections are unpacked; the checksums of all are held.
    pub fn only(&mut self, sections: &[Section]) {
        self.wanted = sections.to_vec();
    }

    /// The next chunk; `None` at the end, once everything has been found whole.
    ///
    /// # Errors
    /// The archive is damaged, cut off, or written wrongly.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, ArchiveError> {
        while self.trailer.is_none() {
            let at = self.input.at;
            let (head, payload) = self.frame()?;
            match head.kind {
                Type::Begin => {
                    return Err(malformed(at, &part(head.number), "it is not the first one"));
                }
                Type::End => self.end(&head, payload, at)?,
                Type::Rows => {
                    let Some(layout) = self.layout.get(usize::from(head.section)) else {
                        let problem = format!("it has no section {}", head.section);
                        return Err(malformed(at, &part(head.number), problem));
                    };
                    let section = layout.section;
                    *self.counts.entry(section).or_default() += u64::from(head.rows);
                    if self.wanted.contains(&section) {
                        return self.chunk(&head, payload, at).map(Some);
                    }
                }
            }
        }
        Ok(None)
    }

    /// The counts, once the end has been read.
    #[must_use]
    pub fn trailer(&self) -> Option<&Trailer> {
        self.trailer.as_ref()
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.input.at
    }

    fn chunk(&mut self, head: &Head, payload: Vec<u8>, at: u64) -> Result<Chunk, ArchiveError> {
        let plain = self.unpacked(head, payload, at)?;
        let layout = &self.layout[usize::from(head.section)];
        let columns = layout.section.columns();
        let mut rows = Vec::new();
        let mut taker = Taker::new(&plain);
        let wrong = |problem| malformed(at, &part(head.number), problem);
        while !taker.is_empty() {
            let mut found = taker.row(layout.width).map_err(wrong)?;
            let row = columns.iter().zip(&layout.places).map(|(column, place)| {
                let value = std::mem::replace(&mut found[*place], runstone_db::Value::Null);
                column.canonical(value)
            });
            rows.push(row.collect::<Result<Vec<_>, _>>().map_err(wrong)?);
        }
        if u32::try_from(rows.len()) != Ok(head.rows) {
            return Err(wrong(format!(
                "it holds {} rows, not {}",
                rows.len(),
                head.rows
            )));
        }
        Ok(Chunk {
            section: layout.section,
            rows,
        })
    }

    fn end(&mut self, head: &Head, payload: Vec<u8>, at: u64) -> Result<(), ArchiveError> {
        let plain = self.unpacked(head, payload, at)?;
        let wrong = |problem: String| malformed(at, "the end", problem);
        let trailer: Trailer = serde_json::from_slice(&plain).map_err(|e| wrong(e.to_string()))?;
        let computed: [u8; HASH] = self.input.hasher.finalize().into();
        let (hash_at, mut stored) = (self.input.at, [0; HASH]);
        self.input.fill(&mut stored, "the checksum of the whole")?;
        if stored != computed {
            return Err(ArchiveError::Damaged {
                at: hash_at,
                part: "the whole".to_owned(),
            });
        }
        for section in SECTIONS {
            let counted = self.counts.get(&section).copied().unwrap_or(0);
            if counted != trailer.count(section) {
                let (name, said) = (section.name(), trailer.count(section));
                return Err(wrong(format!(
                    "{counted} rows of {name} were read, it says {said}"
                )));
            }
        }
        let mut more = [0];
        if self.input.inner.read(&mut more)? > 0 {
            return Err(wrong("something follows it".to_owned()));
        }
        self.trailer = Some(trailer);
        Ok(())
    }

    /// A frame whose checksum is right.
    fn frame(&mut self) -> Result<(Head, Vec<u8>), ArchiveError> {
        let (at, name) = (self.input.at, part(self.number));
        let damaged = || ArchiveError::Damaged {
            at,
            part: name.clone(),
        };
        let mut bytes = [0; HEAD];
        self.input.fill(&mut bytes, &name)?;
        let head = Head::read(&bytes).ok_or_else(damaged)?;
        let most = CHUNK_MAX + (CHUNK_MAX >> 6);
        if head.length > most {
            return Err(malformed(at, &name, "it is too large"));
        }
        let payload = self.input.take(head.length, &name)?;
        let mut hash = [0; HASH];
        self.input.fill(&mut hash, &name)?;
        if hash != frame::hash(&bytes, &payload) {
            return Err(damaged());
        }
        if head.number != self.number {
            let problem = format!("it has the number {}", head.number);
            return Err(malformed(at, &name, problem));
        }
        self.number = self.number.wrapping_add(1);
        Ok((head, payload))
    }

    /// A frame's content, decrypted and decompressed.
    fn unpacked(
        &self,
        head: &Head,
        mut payload: Vec<u8>,
        at: u64,
    ) -> Result<Vec<u8>, ArchiveError> {
        if let Some(seal) = &self.seal
            && !seal.open(head.number, &head.bytes(), &mut payload)
        {
            return Err(match head.kind {
                Type::Begin => ArchiveError::PassphraseWrong,
                _ => malformed(
                    at,
                    &part(head.number),
                    "it cannot be decrypted: it was exchanged",
                ),
            });
        }
        let wrong = |problem: &str| malformed(at, &part(head.number), problem);
        let (size, packed) = payload
            .split_first_chunk::<4>()
            .ok_or_else(|| wrong("it is too short"))?;
        let size = u32::from_le_bytes(*size);
        if size > CHUNK_MAX {
            return Err(wrong("it is too large"));
        }
        let size = usize::try_from(size).map_err(|_| wrong("it is too large"))?;
        let plain =
            zstd::bulk::decompress(packed, size).map_err(|_| wrong("it cannot be decompressed"))?;
        if plain.len() != size {
            return Err(wrong("it has another size than it says"));
        }
        Ok(plain)
    }
}

/// Reads the manifest alone: needs no passphrase and no more than the beginning of the file.
///
/// # Errors
/// It is no archive, a newer one, or its head is damaged.
impl Header {
    pub fn read(input: impl Read) -> Result<Self, ArchiveError> {
        let mut input = Input {
            inner: input,
            hasher: blake3::Hasher::new(),
            at: 0,
        };
        header(&mut input).map(|(header, _)| header)
    }
}

fn header<R: Read>(input: &mut Input<R>) -> Result<(Header, [u8; HASH]), ArchiveError> {
    const PART: &str = "the header";
    let mut magic = [0; MAGIC.len()];
    match input.fill(&mut magic, PART) {
        Err(ArchiveError::Truncated { .. }) => return Err(ArchiveError::Foreign),
        done => done?,
    }
    if magic != MAGIC {
        return Err(ArchiveError::Foreign);
    }
    let (mut format, mut length) = ([0; 4], [0; 4]);
    input.fill(&mut format, PART)?;
    let format = u32::from_le_bytes(format);
    // What a newer program changed is not known, so nothing behind it can be checked. A number that
    // is far off is rather a damaged one.
    if format != FORMAT && format < 1000 {
        return Err(ArchiveError::NewerFormat { found: format });
    }
    input.fill(&mut length, PART)?;
    let length = u32::from_le_bytes(length);
    let damaged = || ArchiveError::Damaged {
        at: 0,
        part: PART.to_owned(),
    };
    if format != FORMAT || length > HEADER_MAX {
        return Err(damaged());
    }
    let json = input.take(length, PART)?;
    let computed: [u8; HASH] = input.hasher.finalize().into();
    let mut stored = [0; HASH];
    input.fill(&mut stored, PART)?;
    if stored != computed {
        return Err(damaged());
    }
    let header =
        serde_json::from_slice(&json).map_err(|error| malformed(0, PART, error.to_string()))?;
    Ok((header, computed))
}

impl<R: Read> Input<R> {
    fn fill(&mut self, bytes: &mut [u8], part: &str) -> Result<(), ArchiveError> {
        let mut done = 0;
        while done < bytes.len() {
            match self.inner.read(&mut bytes[done..]) {
                Ok(0) => return Err(self.cut_off(done, part)),
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.hasher.update(bytes);
        self.at += done as u64;
        Ok(())
    }

    /// `count` bytes, which need not be there: memory grows with what is.
    fn take(&mut self, count: u32, part: &str) -> Result<Vec<u8>, ArchiveError> {
        let wanted = u64::from(count);
        let mut bytes = Vec::with_capacity(usize::try_from(wanted.min(2 << 20)).unwrap_or(0));
        (&mut self.inner).take(wanted).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != wanted {
            return Err(self.cut_off(bytes.len(), part));
        }
        self.hasher.update(&bytes);
        self.at += wanted;
        Ok(bytes)
    }

    fn cut_off(&self, more: usize, part: &str) -> ArchiveError {
        ArchiveError::Truncated {
            at: self.at + more as u64,
            part: part.to_owned(),
        }
    }
}

fn part(number: u32) -> String {
    format!("chunk {number}")
}

fn malformed(at: u64, part: &str, problem: impl Into<String>) -> ArchiveError {
    ArchiveError::Malformed {
        at,
        part: part.to_owned(),
        problem: problem.into(),
    }
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}
