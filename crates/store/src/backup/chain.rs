//! Which archives belong together: an increment and all those before it, back to a full one.
use std::{
    fs::File,
    path::{Path, PathBuf},
};

use runstone_model::time::Timestamp;
use uuid::Uuid;

use super::{
    BackupError,
    archive::{ArchiveError, Header},
};

/// An archive and its manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its file.
    pub path: PathBuf,
    /// Its manifest.
    pub header: Header,
    /// Its size in bytes.
    pub bytes: u64,
}

impl Archive {
    /// Reads the manifest of the archive at `path`.
    ///
    /// # Errors
    /// It cannot be read or is no archive.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let open = || -> Result<_, ArchiveError> {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            Ok((Header::read(std::io::BufReader::new(file))?, bytes))
        };
        let (header, bytes) = open().map_err(|error| BackupError::of(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            header,
            bytes,
        })
    }

    /// When it was taken.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        Timestamp(self.header.created_at)
    }
}

/// The archives needed to restore the one called `newest`, the full one first.
///
/// # Errors
/// One of them is not among `known`, or they go in a circle.
pub fn chain(newest: Uuid, known: &[Archive]) -> Result<Vec<Archive>, BackupError> {
    let mut chain: Vec<Archive> = Vec::new();
    let mut wanted = Some(newest);
    while let Some(id) = wanted {
        let Some(found) = known.iter().find(|archive| archive.header.id == id) else {
            let child = chain.last().map(|child| child.path.display().to_string());
            return Err(BackupError::Chain(match child {
                Some(child) => format!(
                    "{child} is an increment to the backup {id}, which is not among the files \
                     given nor beside them; name its file too"
                ),
                None => format!("the backup {id} is not among the files given"),
            }));
        };
        if chain.iter().any(|one| one.header.id == id) {
            let path = found.path.display();
            return Err(BackupError::Chain(format!(
                "{path} is an increment to itself"
            )));
        }
        chain.push(found.clone());
        wanted = found.header.parent;
    }
    chain.reverse();
    Ok(chain)
}

/// The newest archive that was taken at `at` or before; without `at`, the newest.
#[must_use]
pub fn newest_at(known: &[Archive], at: Option<Timestamp>) -> Option<&Archive> {
    known
        .iter()
        .filter(|archive| at.is_none_or(|at| archive.created_at() <= at))
        .max_by_key(|archive| (archive.header.created_at, archive.header.id))
}

#[cfg(test)]
pub(super) mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    pub(in super::super) fn archive(id: u128, parent: Option<u128>, created_at: i64) -> Archive {
        Archive {
            path: PathBuf::from(format!("{id}.rsb")),
            header: Header {
                id: Uuid::from_u128(id),
                parent: parent.map(Uuid::from_u128),
                schema_version: 1,
                program: "test".to_owned(),
                source: "sqlite".to_owned(),
                created_at,
                compression: "zstd".to_owned(),
                encryption: None,
                sections: Vec::new(),
            },
            bytes: 1,
        }
    }

    fn ids(chain: &[Archive]) -> Vec<u128> {
        chain.iter().map(|one| one.header.id.as_u128()).collect()
    }

    #[test]
    fn a_chain_goes_from_the_full_backup_to_the_one_wanted() {
        let known = [
            archive(3, Some(2), 30),
            archive(1, None, 10),
            archive(9, None, 40),
            archive(2, Some(1), 20),
        ];
        let of = |id| chain(Uuid::from_u128(id), &known).map(|chain| ids(&chain));
        assert_eq!(of(3).unwrap(), [1, 2, 3]);
        assert_eq!(of(9).unwrap(), [9]);
    }

    #[test]
    fn a_missing_ancestor_and_a_circle_are_named() {
        let known = [
            archive(3, Some(2), 30),
            archive(7, Some(8), 1),
            archive(8, Some(7), 2),
        ];
        let missing = chain(Uuid::from_u128(3), &known).unwrap_err().to_string();
        assert!(
            missing.starts_with("3.rsb is an increment to the backup 0000"),
            "{missing}"
        );
        let circle = chain(Uuid::from_u128(7), &known).unwrap_err().to_string();
        assert_eq!(circle, "7.rsb is an increment to itself");
    }

    #[test]
    fn a_point_in_time_is_the_newest_archive_not_after_it() {
        let known = [
            archive(1, None, 10),
            archive(2, Some(1), 20),
            archive(3, None, 30),
        ];
        let at = |us| newest_at(&known, Some(Timestamp(us))).map(|one| one.header.id.as_u128());
        assert_eq!(
            (at(9), at(10), at(29), at(99)),
            (None, Some(1), Some(2), Some(3))
        );
        assert_eq!(newest_at(&known, None).unwrap().header.created_at, 30);
    }
}
