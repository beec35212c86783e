//! Restoring: the archives are checked first, then a thread reads them and this puts their rows into
//! the database. What was begun and not ended leaves a database that nobody can use by mistake.
use std::{path::PathBuf, sync::Arc};

use runstone_db::Value;
use tokio::sync::mpsc;

use super::{
    Archive, BackupError, Meter, Verified,
    archive::{ArchiveError, Chunk, Passphrase, Section},
    index::{self, Index},
    load::{Load, Loader},
    target::{Clock, Counts, Target},
    verify, whole,
};
use crate::schema;

/// Chunks that may wait to be written.
const QUEUE: usize = 4;

/// What is to be restored, and where.
#[derive(Clone)]
pub struct Restore {
    /// The database, which is made when it is a file.
    pub url: String,
    /// The archives: the full one first, each the parent of the next. The last one's state is
    /// restored.
    pub chain: Vec<Archive>,
    /// Opens them.
    pub passphrase: Option<Passphrase>,
    /// Who restores, as others see it who find the database locked.
    pub who: String,
    /// Tells the time.
    pub clock: Clock,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the last archive holds.
    pub newest: Verified,
    /// Flows, versions of flows, runs and blobs that are in the database now.
    pub flows: u64,
    /// See `flows`.
    pub versions: u64,
    /// See `flows`.
    pub blobs: u64,
    /// See `flows`.
    pub runs: u64,
}

/// Puts the last archive's state into an empty database. `began` is called when the archives are
/// found good and the database is marked.
///
/// # Errors
/// A bad archive, a database that is not empty or in use, the database's own. From `began` on the
/// database refuses to be used until it is restored into again.
pub async fn restore(
    restore: Restore,
    meter: &Arc<Meter>,
    began: impl FnOnce(),
) -> Result<Restored, BackupError> {
    let newest = check(&restore, meter).await?;
    let clock = Arc::clone(&restore.clock);
    let mut target = Target::open(&restore.url, &restore.who, clock).await?;
    began();
    let done = fill(&mut target, &restore, &newest, meter).await;
    target.close().await;
    let counts = done?;
    Ok(Restored {
        newest,
        flows: counts.flows,
        versions: counts.versions,
        blobs: counts.blobs,
        runs: counts.runs,
    })
}

/// Reads every archive before anything is changed.
async fn check(restore: &Restore, meter: &Arc<Meter>) -> Result<Verified, BackupError> {
    let (chain, passphrase) = (restore.chain.clone(), restore.passphrase.clone());
    let meter = Arc::clone(meter);
    let checking = tokio::task::spawn_blocking(move || {
        let mut newest = None;
        let mut parent = None;
        for archive in &chain {
            let verified = verify(archive, parent, passphrase.as_ref(), &meter)?;
            refuse_other_schema(archive)?;
            newest = Some(verified);
            parent = Some(archive);
        }
        newest.ok_or_else(|| BackupError::Chain("no archive is given".to_owned()))
    });
    checking
        .await
        .unwrap_or_else(|_| Err(BackupError::interrupted()))
}

fn refuse_other_schema(archive: &Archive) -> Result<(), BackupError> {
    let (found, known) = (archive.header.schema_version, schema::newest_version());
    if found > known {
        let error = ArchiveError::NewerSchema { found, known };
        return Err(BackupError::of(&archive.path, error));
    }
    Ok(())
}

async fn fill(
    target: &mut Target,
    restore: &Restore,
    newest: &Verified,
    meter: &Arc<Meter>,
) -> Result<Counts, BackupError> {
    // The migrations make a project; the archive has it too.
    let statement = Arc::clone(&target.sql().backup_delete_projects);
    target.write(vec![(statement, vec![Vec::new()])]).await?;
    let (sender, mut chunks) = mpsc::channel(QUEUE);
    let (chain, passphrase) = (restore.chain.clone(), restore.passphrase.clone());
    let reading = tokio::task::spawn_blocking(move || read(&chain, passphrase.as_ref(), &sender));
    let mut loader = Loader::new(target, meter);
    while let Some(load) = chunks.recv().await {
        loader.take(load).await?;
    }
    reading
        .await
        .unwrap_or_else(|_| Err(BackupError::interrupted()))?;
    loader.flush().await?;
    let counts = target.counts().await?;
    let rows = |section| newest.trailer.count(section);
    let wanted = Counts {
        projects: rows(Section::Projects),
        flows: rows(Section::Flows),
        versions: rows(Section::FlowVersionIds),
        blobs: rows(Section::BlobHashes),
        runs: rows(Section::RunIds),
        others: whole::LATER.map(rows),
    };
    if counts != wanted {
        return Err(BackupError::Chain(format!(
            "the archives do not belong together: {counts:?} were restored, {wanted:?} belong there"
        )));
    }
    target.release().await?;
    Ok(counts)
}

/// Hands over the rows of all archives: first what runs refer to, then the runs, the newest archive
/// first, so that each row is written once.
fn read(
    chain: &[Archive],
    passphrase: Option<&Passphrase>,
    sender: &mpsc::Sender<Load>,
) -> Result<(), BackupError> {
    let Some((newest, earlier)) = chain.split_last() else {
        return Ok(());
    };
    let refers = [Section::FlowVersions, Section::Blobs];
    let own = [&whole::FIRST[..], &refers, &whole::LATER].concat();
    let runs = [
        Section::Runs,
        Section::Snapshots,
        Section::Journal,
        Section::RunLabels,
    ];
    let passes = [(&own[..], &refers[..]), (&runs, &runs)];
    for (of_newest, of_earlier) in passes {
        let mut pass = Pass {
            path: newest.path.clone(),
            kept: None,
            sender,
        };
        pass.read(of_newest, passphrase)?;
        for archive in earlier.iter().rev() {
            pass.path.clone_from(&archive.path);
            pass.kept = Some(Index::open(&newest.path, passphrase)?);
            pass.read(of_earlier, passphrase)?;
        }
    }
    Ok(())
}

/// One reading of one archive.
struct Pass<'a> {
    path: PathBuf,
    /// The keys of the newest archive: what it does not have was deleted since.
    kept: Option<Index>,
    sender: &'a mpsc::Sender<Load>,
}

impl Pass<'_> {
    fn read(
        &mut self,
        sections: &[Section],
        passphrase: Option<&Passphrase>,
    ) -> Result<(), BackupError> {
        let mut reader = index::open(&self.path, passphrase)?;
        reader.only(sections);
        let last = sections.iter().max();
        loop {
            let chunk = reader.next_chunk();
            let Some(chunk) = chunk.map_err(|error| BackupError::of(&self.path, error))? else {
                return Ok(());
            };
            debug_assert!(
                Some(&chunk.section) <= last,
                "only what was asked for comes"
            );
            let load = self.kept(chunk)?;
            if self.sender.blocking_send(load).is_err() {
                // Writing failed; it says why.
                return Ok(());
            }
        }
    }

    fn kept(&mut self, chunk: Chunk) -> Result<Load, BackupError> {
        let Chunk { section, rows } = chunk;
        let older = self.kept.is_some();
        let keys = match section {
            Section::FlowVersions => Some(Section::FlowVersionIds),
            Section::Blobs => Some(Section::BlobHashes),
            Section::Runs => Some(Section::RunIds),
            _ => None,
        };
        let rows = match (&mut self.kept, keys) {
            (Some(index), Some(keys)) => {
                let mut kept: Vec<Vec<Value>> = Vec::with_capacity(rows.len());
                for row in rows {
                    if index.find(keys, &row[0])?.is_some() {
                        kept.push(row);
                    }
                }
                kept
            }
            _ => rows,
        };
        Ok(Load {
            section,
            rows,
            older,
        })
    }
}
