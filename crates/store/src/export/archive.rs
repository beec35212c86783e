//! A ZIP archive that is handed on in pieces while it is written: documents as Markdown, and a
//! manifest with their checksums at the end. Knows no database.
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{Context, SHA256};
use runstone_model::{
    ids::{ExportId, ProjectId},
    time::Timestamp,
};
use serde::Serialize;
use zip::{
    CompressionMethod, DateTime, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{CHUNK_BYTES, Selection};
use crate::{Error, document::DocumentVersion};

/// Bytes of a title in a file's name: with the id it stays under the 255 of common file systems.
const NAME_BYTES: usize = 200;

/// What the archive says about itself.
#[derive(Debug, Serialize)]
struct Manifest<'a> {
    format: &'static str,
    format_version: u32,
    project_id: ProjectId,
    export_id: ExportId,
    created_at: String,
    selection: &'a Selection,
    documents: &'a [Entry],
}

/// One document of the archive.
#[derive(Debug, Serialize)]
struct Entry {
    path: String,
    sha256: String,
    bytes: i64,
    document_id: String,
    version: u32,
    #[serde(rename = "type")]
    kind: String,
    language: String,
    title: String,
    author: Option<String>,
    created_at: String,
    overall: f64,
}

/// An archive being written.
pub(super) struct Archive {
    zip: ZipWriter<StreamWriter<Sink>>,
    sink: Sink,
    digest: Context,
    entries: Vec<Entry>,
}

/// Where the writer puts its bytes, and where we take them from.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|buffer| buffer.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Archive {
    pub(super) fn new() -> Self {
        let sink = Sink::default();
        Self {
            zip: ZipWriter::new_stream(sink.clone()),
            sink,
            digest: Context::new(&SHA256),
            entries: Vec::new(),
        }
    }

    /// Documents so far.
    pub(super) fn documents(&self) -> usize {
        self.entries.len()
    }

    /// Adds a document.
    pub(super) fn add(&mut self, version: DocumentVersion) -> Result<(), Error> {
        let path = path(&version);
        let body = version.body.unwrap_or_default();
        self.file(&path, body.as_bytes(), version.created_at)?;
        self.entries.push(Entry {
            path,
            sha256: hex(&version.hash),
            bytes: version.bytes,
            document_id: version.document.to_string(),
            version: version.version,
            kind: version.kind,
            language: version.language,
            title: version.title,
            author: version.author,
            created_at: version.created_at.rfc3339(),
            overall: f64::from(version.overall_tenths) / 10.0,
        });
        Ok(())
    }

    /// The pieces that are full by now.
    pub(super) fn full_pieces(&mut self) -> Vec<Vec<u8>> {
        let mut pieces = Vec::new();
        self.sink.with(|buffer| {
            let full = buffer.len() - buffer.len() % CHUNK_BYTES;
            pieces.extend(buffer[..full].chunks(CHUNK_BYTES).map(<[u8]>::to_vec));
            buffer.drain(..full);
        });
        for piece in &pieces {
            self.digest.update(piece);
        }
        pieces
    }

    /// Writes the manifest and the end; answers the last pieces and the SHA-256 of all in hex.
    pub(super) fn finish(
        mut self,
        export: ExportId,
        project: ProjectId,
        selection: &Selection,
        now: Timestamp,
    ) -> Result<(Vec<Vec<u8>>, String), Error> {
        let manifest = Manifest {
            format: "runstone-export",
            format_version: 1,
            project_id: project,
            export_id: export,
            created_at: now.rfc3339(),
            selection,
            documents: &self.entries,
        };
        let text = serde_json::to_vec_pretty(&manifest).map_err(|e| Error::Other(e.to_string()))?;
        self.file("manifest.json", &text, now)?;
        let mut pieces = self.full_pieces();
        self.zip.finish().map_err(broken)?;
        let rest = self.sink.with(std::mem::take);
        for piece in rest.chunks(CHUNK_BYTES) {
            self.digest.update(piece);
            pieces.push(piece.to_vec());
        }
        Ok((pieces, hex(self.digest.finish().as_ref())))
    }

    fn file(&mut self, path: &str, bytes: &[u8], at: Timestamp) -> Result<(), Error> {
        let mut options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o644);
        if let Some(at) = zip_time(at) {
            options = options.last_modified_time(at);
        }
        self.zip.start_file(path, options).map_err(broken)?;
        self.zip.write_all(bytes).map_err(broken)
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Other(format!("the archive cannot be written: {error}"))
}

/// The format's own times: from 1980 on, in steps of two seconds.
fn zip_time(at: Timestamp) -> Option<DateTime> {
    let text = at.rfc3339();
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let small = |range| part(range).and_then(|value| u8::try_from(value).ok());
    let (year, month, day) = (part(0..4)?, small(5..7)?, small(8..10)?);
    let (hour, minute, second) = (small(11..13)?, small(14..16)?, small(17..19)?);
    DateTime::from_date_and_time(year, month, day, hour, minute, second).ok()
}

/// A name that says what it is, is safe on every file system, and no other document has: the title's
/// letters and digits, and the document's id.
fn path(version: &DocumentVersion) -> String {
    let mut name = String::new();
    for c in version.title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = &name[..name.floor_char_boundary(NAME_BYTES)];
    let name = name.trim_end_matches('-');
    let name = if name.is_empty() { "document" } else { name };
    format!("documents/{name}-{}.md", version.document.0.simple())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
