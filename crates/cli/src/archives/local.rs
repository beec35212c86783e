//! Archives in files: written under a temporary name, flushed to the disk, then named.
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use runstone_store::backup::Archive;
use tempfile::NamedTempFile;

use super::{ENDING, Listing};
use crate::trouble::Trouble;

/// An archive that has no name yet. Dropped, it is gone.
pub(crate) struct Part {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Part {
    pub(super) fn new(path: PathBuf) -> Result<Self, Trouble> {
        let folder = folder_of(&path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".part")
            .tempfile_in(folder);
        let file = file.map_err(|error| {
            let place = path.display().to_string();
            Trouble::at(place, format!("the file cannot be written: {error}"))
                .mend("check that the folder exists and may be written")
        })?;
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, file),
            path,
        })
    }

    pub(super) fn publish(self) -> Result<String, Trouble> {
        let Self { file, path } = self;
        let shown = path.display().to_string();
        let done = || -> io::Result<()> {
            let file = file.into_inner().map_err(|error| error.into_error())?;
            file.as_file().sync_all()?;
            // Never over a file that somebody made meanwhile.
            file.persist_noclobber(&path).map_err(|error| error.error)?;
            // The name must last too.
            File::open(folder_of(&path))?.sync_all()
        };
        done()
            .map(|()| shown.clone())
            .map_err(|error| Trouble::at(shown, format!("the file cannot be written: {error}")))
    }
}

fn folder_of(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The archives in a folder, the oldest first.
pub(super) fn list(folder: &Path) -> Result<Listing, Trouble> {
    let wrong = |error: io::Error| {
        let place = folder.display().to_string();
        Trouble::at(place, format!("the folder cannot be read: {error}"))
    };
    let mut paths = Vec::new();
    for file in std::fs::read_dir(folder).map_err(wrong)? {
        let path = file.map_err(wrong)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(ENDING) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    let mut listing = Listing::default();
    for path in paths {
        listing.look(&path);
    }
    listing.sort();
    Ok(listing)
}

/// The one archive at `path`.
pub(super) fn list_file(path: &Path) -> Listing {
    let mut listing = Listing::default();
    listing.look(path);
    listing
}

impl Listing {
    fn look(&mut self, path: &Path) {
        match Archive::open(path) {
            Ok(archive) => self.archives.push(archive),
            Err(error) => {
                let error = match error {
                    runstone_store::backup::BackupError::Archive { error, .. } => error.to_string(),
                    other => other.to_string(),
                };
                self.others.push((path.display().to_string(), error));
            }
        }
    }

    pub(super) fn sort(&mut self) {
        self.archives
            .sort_by_key(|archive| (archive.header.created_at, archive.header.id));
    }
}
