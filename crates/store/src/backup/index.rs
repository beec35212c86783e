//! An archive's lists of keys, walked in order beside another ordered list: what an archive has is
//! looked up without ever holding all of it.
use std::{
    cmp::Ordering,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

use runstone_db::Value;

use super::{
    BackupError,
    archive::{ArchiveError, Header, Passphrase, Reader, Section},
};

/// Bytes read from a file at a time.
const BUFFER: usize = 1 << 18;

/// Opens the archive at `path`.
pub(super) fn open(
    path: &Path,
    passphrase: Option<&Passphrase>,
) -> Result<Reader<BufReader<File>>, BackupError> {
    let open = || {
        let file = BufReader::with_capacity(BUFFER, File::open(path)?);
        Reader::open(file, passphrase)
    };
    open().map_err(|error| BackupError::of(path, error))
}

/// The keys of an archive, from the first to the last.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    reader: Reader<BufReader<File>>,
    /// The section that is being walked, and its rows at hand, the next one last.
    section: Section,
    rows: Vec<Vec<Value>>,
}

const KEYS: [Section; 3] = [
    Section::FlowVersionIds,
    Section::BlobHashes,
    Section::RunIds,
];

impl Index {
    pub(super) fn open(path: &Path, passphrase: Option<&Passphrase>) -> Result<Self, BackupError> {
        let mut reader = open(path, passphrase)?;
        reader.only(&KEYS);
        Ok(Self {
            path: path.to_owned(),
            reader,
            section: Section::Projects,
            rows: Vec::new(),
        })
    }

    pub(super) fn header(&self) -> &Header {
        self.reader.header()
    }

    /// The row of `section` whose first column is `key`. Sections must be asked for in the order
    /// of the archive, keys of a section in ascending order.
    pub(super) fn find(
        &mut self,
        section: Section,
        key: &Value,
    ) -> Result<Option<Vec<Value>>, BackupError> {
        loop {
            match self.section.cmp(&section) {
                Ordering::Greater => return Ok(None),
                Ordering::Less => self.rows.clear(),
                Ordering::Equal => {}
            }
            while let Some(row) = self.rows.last() {
                match order(row.first().unwrap_or(&Value::Null), key) {
                    Ordering::Less => drop(self.rows.pop()),
                    Ordering::Equal => return Ok(Some(row.clone())),
                    Ordering::Greater => return Ok(None),
                }
            }
            let chunk = self.reader.next_chunk();
            match chunk.map_err(|error| BackupError::of(&self.path, error))? {
                None => return Ok(None),
                Some(chunk) if chunk.section < self.section => return Err(self.disordered()),
                Some(chunk) => {
                    self.section = chunk.section;
                    self.rows = chunk.rows;
                    self.rows.reverse();
                }
            }
        }
    }

    /// Whether the archive has `key` in the same last state: what it has need not be had again.
    pub(super) fn has(
        &mut self,
        section: Section,
        key: &Value,
        state: Option<&Value>,
    ) -> Result<bool, BackupError> {
        let found = self.find(section, key)?;
        Ok(match (found, state) {
            (None, _) | (Some(_), Some(Value::Null)) => false,
            (Some(_), None) => true,
            (Some(row), Some(state)) => row.get(1) == Some(state),
        })
    }

    /// Reads the rest, so that all of the archive has been held against its checksums.
    pub(super) fn finish(mut self) -> Result<(), BackupError> {
        self.reader.only(&[]);
        let done = self.reader.next_chunk();
        done.map(drop)
            .map_err(|error| BackupError::of(&self.path, error))
    }

    fn disordered(&self) -> BackupError {
        let at = self.reader.position();
        BackupError::of(&self.path, disordered(at))
    }
}

pub(super) fn disordered(at: u64) -> ArchiveError {
    ArchiveError::Malformed {
        at,
        part: "the chunk before it".to_owned(),
        problem: "its rows are not in order".to_owned(),
    }
}

/// The order of keys, the same in every database: by bytes.
pub(super) fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        _ => Ordering::Equal,
    }
}
