//! Notices that the file under a connection was deleted or replaced. SQLite would go on writing to
//! a file that has no name any more, answer every commit, and lose all of it with the process.
use crate::error::Error;
use std::path::Path;

/// The files that a connection writes, as the file system knows them.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<File>);

#[derive(Debug)]
struct File {
    path: std::path::PathBuf,
    id: (u64, u64),
}

impl Held {
    /// The database at `path`, which is open, and its write-ahead log.
    pub(super) fn of(path: &Path) -> Self {
        // SQLite names the log after the file itself, not after a link to it.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let files = [path, log.into()].into_iter();
        Self(
            files
                .filter_map(|path| id(&path).map(|id| File { path, id }))
                .collect(),
        )
    }

    /// Costs a microsecond; a commit costs fifty.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.0.iter().find(|file| id(&file.path) != Some(file.id)) {
            None => Ok(()),
            Some(file) => Err(Error::other(format!(
                "the database file `{}` was deleted or replaced while this process was using it; \
                 stop every process that uses it, then put it back or restore a backup",
                file.path.display()
            ))),
        }
    }
}

/// Asks for the number only. Who asks for times makes Linux (6.13 and newer) give the next write a
/// new one, and the flush behind it then waits for the file system's journal as well: measured,
/// that adds a third to every commit.
#[cfg(target_os = "linux")]
fn id(path: &Path) -> Option<(u64, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    match statx(CWD, path, AtFlags::empty(), StatxFlags::INO) {
        Ok(found) => Some((
            makedev(found.stx_dev_major, found.stx_dev_minor),
            found.stx_ino,
        )),
        // A kernel older than 4.11.
        Err(rustix::io::Errno::NOSYS) => of_metadata(path),
        Err(_) => None,
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn id(path: &Path) -> Option<(u64, u64)> {
    of_metadata(path)
}

#[cfg(unix)]
fn of_metadata(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// Elsewhere an open file cannot be deleted.
#[cfg(not(unix))]
fn id(_path: &Path) -> Option<(u64, u64)> {
    None
}
