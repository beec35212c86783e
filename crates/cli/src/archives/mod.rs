//! Where archives lie: in a file, a folder, or a bucket. Writes them so that nothing half-written
//! ever has an archive's name; finds those that belong together.
mod local;
#[cfg(feature = "s3")]
mod s3;
#[cfg(not(feature = "s3"))]
#[path = "no_s3.rs"]
mod s3;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use runstone_model::time::Timestamp;
use runstone_store::backup::{Archive, BackupError};
use tempfile::TempPath;
use uuid::Uuid;

use crate::{
    args::{PassphraseArgs, S3Args},
    trouble::Trouble,
};

/// How an archive's name ends.
const ENDING: &str = ".rsb";

/// Where archives are written to and listed.
pub(crate) enum Place {
    /// One file that is not there yet.
    File(PathBuf),
    /// Any number, named by their times.
    Folder(PathBuf),
    /// The same in a bucket.
    S3(s3::Bucket),
}

/// An archive that is being written.
pub(crate) enum Sink {
    Local(local::Part),
    S3(s3::Upload),
}

/// What lies at a place.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// The archives, the oldest first.
    pub(crate) archives: Vec<Archive>,
    /// Files that are called like archives and are none: the name and the reason.
    pub(crate) others: Vec<(String, String)>,
}

impl Place {
    /// Where to write. A path that is no folder and does not end in `/` is a new file.
    pub(crate) fn to_write(text: &str, s3: &S3Args) -> Result<Self, Trouble> {
        if s3::is_url(text) {
            return s3::Bucket::open(text, s3).map(Self::S3);
        }
        let path = Path::new(text);
        if text.ends_with('/') || path.is_dir() {
            std::fs::create_dir_all(path).map_err(|error| {
                Trouble::at(text, format!("the folder cannot be made: {error}"))
            })?;
            return Ok(Self::Folder(path.to_owned()));
        }
        if path.exists() {
            return Err(
                Trouble::at(text, "the file is there already").mend("name a new file, or a folder")
            );
        }
        Ok(Self::File(path.to_owned()))
    }

    /// Where to look for archives.
    pub(crate) fn to_read(text: &str, s3: &S3Args) -> Result<Self, Trouble> {
        if s3::is_url(text) {
            return s3::Bucket::open(text, s3).map(Self::S3);
        }
        let path = Path::new(text);
        match path.is_dir() {
            true => Ok(Self::Folder(path.to_owned())),
            false if path.exists() => Ok(Self::File(path.to_owned())),
            false => Err(Trouble::at(text, "there is no such folder or file")),
        }
    }

    /// Whether it holds several archives, so that older ones can be found and deleted.
    pub(crate) fn is_many(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// Begins to write the archive of this id and time.
    pub(crate) async fn sink(&self, id: Uuid, now: Timestamp) -> Result<Sink, Trouble> {
        match self {
            Self::File(path) => local::Part::new(path.clone()).map(Sink::Local),
            Self::Folder(folder) => local::Part::new(folder.join(name(id, now))).map(Sink::Local),
            Self::S3(bucket) => bucket.upload(&name(id, now)).await.map(Sink::S3),
        }
    }

    /// What lies there.
    pub(crate) async fn list(&self) -> Result<Listing, Trouble> {
        match self {
            Self::File(path) => Ok(local::list_file(path)),
            Self::Folder(folder) => local::list(folder),
            Self::S3(bucket) => bucket.list().await,
        }
    }

    /// Deletes an archive that [`Self::list`] gave.
    pub(crate) async fn delete(&self, archive: &Archive) -> Result<(), Trouble> {
        match self {
            Self::File(_) | Self::Folder(_) => std::fs::remove_file(&archive.path).map_err(|e| {
                let place = archive.path.display().to_string();
                Trouble::at(place, format!("the file cannot be deleted: {e}"))
            }),
            Self::S3(bucket) => bucket.delete(&archive.path).await,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Local(part) => part.write(bytes),
            Self::S3(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Local(part) => part.flush(),
            Self::S3(upload) => upload.flush(),
        }
    }
}

impl Sink {
    /// What ends the writing when the backup has failed, wherever the sink is then.
    pub(crate) fn abort(&self) -> Option<s3::Abort> {
        match self {
            // A file that is dropped takes itself away.
            Self::Local(_) => None,
            Self::S3(upload) => Some(upload.abort()),
        }
    }

    /// Gives the archive its name, once all of it lasts; answers where it is.
    pub(crate) async fn publish(self) -> Result<String, Trouble> {
        match self {
            Self::Local(part) => {
                let published = tokio::task::spawn_blocking(move || part.publish()).await;
                published.unwrap_or_else(|error| Err(Trouble::at("", error.to_string())))
            }
            Self::S3(upload) => upload.publish().await,
        }
    }
}

/// `runstone-20261121T051900Z-1a2b3c4d.rsb`: in order of time, and never the same twice.
fn name(id: Uuid, now: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(now.0).map_or_else(
        |_| now.0.to_string(),
        |time| time.strftime("%Y%m%dT%H%M%SZ").to_string(),
    );
    let id = id.simple().to_string();
    format!("runstone-{time}-{}{ENDING}", &id[id.len() - 8..])
}

/// Archives named on the command line and those beside them.
pub(crate) struct Found {
    /// Every archive there is at the places.
    pub(crate) known: Vec<Archive>,
    /// Those that were named themselves, by file.
    pub(crate) named: Vec<Archive>,
    /// Those and all in the folders and buckets that were named.
    pub(crate) asked: Vec<Archive>,
    /// What was named itself and is no archive.
    pub(crate) bad: Vec<(String, BackupError)>,
    /// Files in a folder or bucket that are called like archives and are none, and why.
    pub(crate) others: Vec<(String, String)>,
    buckets: Vec<s3::Bucket>,
}

impl Found {
    /// Looks at files, folders and buckets.
    pub(crate) async fn look(texts: &[String], s3: &S3Args) -> Result<Self, Trouble> {
        let mut found = Self {
            known: Vec::new(),
            named: Vec::new(),
            asked: Vec::new(),
            bad: Vec::new(),
            others: Vec::new(),
            buckets: Vec::new(),
        };
        for text in texts {
            if s3::is_url(text) {
                found.remote(text, s3).await?;
            } else {
                found.file_or_folder(text)?;
            }
        }
        Ok(found)
    }

    fn file_or_folder(&mut self, text: &str) -> Result<(), Trouble> {
        let path = Path::new(text);
        if path.is_dir() {
            self.listed(local::list(path)?);
            return Ok(());
        }
        match Archive::open(path) {
            Ok(archive) => {
                self.named.push(archive.clone());
                self.asked.push(archive.clone());
                self.add(vec![archive]);
            }
            Err(error) => self.bad.push((text.to_owned(), error)),
        }
        let beside = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let beside = local::list(beside.unwrap_or(Path::new(".")));
        // What lies there was not asked for: only what can be read of it matters.
        self.add(beside.map(|listing| listing.archives).unwrap_or_default());
        Ok(())
    }

    async fn remote(&mut self, text: &str, s3: &S3Args) -> Result<(), Trouble> {
        let (folder, file) = match text.rsplit_once('/') {
            Some((folder, file)) if file.ends_with(ENDING) => (folder, Some(file)),
            _ => (text, None),
        };
        let bucket = s3::Bucket::open(folder, s3)?;
        let listing = bucket.list().await?;
        if let Some(file) = file {
            let named = listing
                .archives
                .iter()
                .find(|archive| archive.path.ends_with(file));
            match named {
                Some(archive) => {
                    self.named.push(archive.clone());
                    self.asked.push(archive.clone());
                }
                None => return Err(Trouble::at(text, "there is no such archive")),
            }
        }
        match file {
            None => self.listed(listing),
            Some(_) => self.add(listing.archives),
        }
        self.buckets.push(bucket);
        Ok(())
    }

    fn listed(&mut self, listing: Listing) {
        self.others.extend(listing.others);
        self.asked.extend(listing.archives.iter().cloned());
        self.add(listing.archives);
    }

    fn add(&mut self, archives: Vec<Archive>) {
        for archive in archives {
            if !self
                .known
                .iter()
                .any(|one| one.header.id == archive.header.id)
            {
                self.known.push(archive);
            }
        }
    }

    /// The archive as a file that can be read again and again; one from a bucket is brought into
    /// a temporary file, which lasts as long as what is answered.
    pub(crate) async fn local(
        &self,
        archive: &Archive,
    ) -> Result<(Archive, Option<TempPath>), Trouble> {
        let url = archive.path.to_string_lossy();
        match self.buckets.iter().find(|bucket| bucket.has(&url)) {
            Some(bucket) => {
                let (path, bytes) = bucket.fetch(&archive.path).await?;
                let mut archive = archive.clone();
                archive.path = path.to_path_buf();
                archive.bytes = bytes;
                Ok((archive, Some(path)))
            }
            None => Ok((archive.clone(), None)),
        }
    }
}

/// The passphrase, if there is one.
pub(crate) fn passphrase(
    args: &PassphraseArgs,
) -> Result<Option<runstone_store::backup::archive::Passphrase>, Trouble> {
    const VARIABLE: &str = "RUNSTONE_BACKUP_PASSPHRASE";
    let (place, text) = match &args.passphrase_file {
        Some(path) => {
            let place = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| Trouble::at(place.clone(), format!("cannot be read: {error}")))?;
            (place, text.lines().next().unwrap_or_default().to_owned())
        }
        None => match std::env::var(VARIABLE) {
            Ok(text) => (VARIABLE.to_owned(), text),
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                return Err(Trouble::at(VARIABLE, "it is not UTF-8"));
            }
        },
    };
    match runstone_store::backup::archive::Passphrase::new(text) {
        Some(passphrase) => Ok(Some(passphrase)),
        None => Err(Trouble::at(place, "the passphrase is empty")
            .mend("write one there, or do without a passphrase")),
    }
}
