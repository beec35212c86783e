//! One backup: full, or what is new since an earlier one.
use std::{collections::BTreeMap, sync::Arc};

use runstone_db::Isolation;
use runstone_engine::{Clock as _, Ids as _, RealIds, SystemClock};
use runstone_model::time::Timestamp;
use runstone_store::backup::{
    Archive, BackupError, BackupRequest, Meter, Taken,
    archive::{Cost, Passphrase},
};
use serde_json::{Value, json};

use super::trouble;
use crate::{
    archives::{self, Found, Place},
    args::{BackupTakeArgs, DbArgs},
    exit::Exit,
    open,
    print::{self, count, duration, note},
    progress::copying::{bytes, watched},
    signals::Signals,
    trouble::Trouble,
};

pub(super) async fn run(args: BackupTakeArgs) -> anyhow::Result<Exit> {
    let text = args.to.as_deref().unwrap_or_default();
    let place = Place::to_write(text, &args.s3)?;
    if !place.is_many() && (args.full_every.or(args.keep).or(args.keep_days)).is_some() {
        return Err(Trouble::at(
            text,
            "it is one file, and there is nothing beside it to keep",
        )
        .mend("name a folder, or leave --full-every, --keep and --keep-days out")
        .into());
    }
    let mut signals = Signals::listen()?;
    let one = One::new(&args)?;
    match one.run_once(&place, &mut signals).await? {
        Some(made) => {
            one.tell(&made, false)?;
            Ok(Exit::Ok)
        }
        None => {
            note("stopped; there is no backup");
            Ok(Exit::Unfinished)
        }
    }
}

/// Everything that one backup is taken with.
pub(super) struct One<'a> {
    args: &'a BackupTakeArgs,
    passphrase: Option<Passphrase>,
}

/// A backup that was taken, and what it replaces.
pub(super) struct Made {
    taken: Taken,
    to: String,
    tidied: Tidied,
}

/// What became of the archives that had their day.
#[derive(Default)]
struct Tidied {
    deleted: Vec<String>,
    /// What went wrong; the backup is made all the same.
    failed: Vec<String>,
}

impl<'a> One<'a> {
    pub(super) fn new(args: &'a BackupTakeArgs) -> Result<Self, Trouble> {
        let passphrase = archives::passphrase(&args.secret)?;
        Ok(Self { args, passphrase })
    }

    fn db(&self) -> &DbArgs {
        &self.args.db
    }

    /// Takes a backup and deletes the archives that had their day; `None` when asked to stop.
    pub(super) async fn run_once(
        &self,
        place: &Place,
        signals: &mut Signals,
    ) -> anyhow::Result<Option<Made>> {
        let now = SystemClock.now();
        // What it is an increment to may be a temporary file, which must outlive the backup.
        let (since, _temporary) = self.since(place).await?;
        let request = BackupRequest {
            id: RealIds.next(),
            now,
            since: since.map(|archive| archive.path),
            passphrase: self.passphrase.clone(),
            cost: Cost::default(),
        };
        let store = open::to_look(self.db()).await?;
        let meter = Arc::new(Meter::default());
        let sink = place.sink(request.id, now).await?;
        let abort = sink.abort();
        let work = store.backup(sink, request, &meter);
        let taken = watched("backup", &meter, self.args.quiet, signals, work).await;
        store.close().await;
        let (sink, taken) = match taken {
            Ok(done) => done,
            Err(error) => {
                if let Some(abort) = abort {
                    abort.run().await;
                }
                return match error {
                    BackupError::Stopped => Ok(None),
                    error => Err(trouble(error, Some(self.db())).into()),
                };
            }
        };
        let to = sink.publish().await?;
        let tidied = self.tidy(place, now).await;
        Ok(Some(Made { taken, to, tidied }))
    }

    /// The archive that this one is an increment to.
    async fn since(
        &self,
        place: &Place,
    ) -> anyhow::Result<(Option<Archive>, Option<tempfile::TempPath>)> {
        let found = match (&self.args.since, self.args.full_every) {
            (Some(since), _) => {
                let found = Found::look(std::slice::from_ref(since), &self.args.s3).await?;
                if let Some((_, error)) = found.bad.into_iter().next() {
                    return Err(trouble(error, None).into());
                }
                let newest = runstone_store::backup::newest_at(&found.known, None).cloned();
                let Some(archive) = found.named.first().cloned().or(newest) else {
                    return Err(Trouble::at(since, "there is no archive").into());
                };
                let look = Found::look(std::slice::from_ref(since), &self.args.s3).await?;
                return Ok(local(look.local(&archive).await?));
            }
            (None, Some(full_every)) => self.newest(place, full_every).await?,
            (None, None) => None,
        };
        let Some(archive) = found else {
            return Ok((None, None));
        };
        let url = archive.path.to_string_lossy().into_owned();
        let look = Found::look(&[url], &self.args.s3).await?;
        Ok(local(look.local(&archive).await?))
    }

    /// The newest archive at the place, unless it is time for a full one.
    async fn newest(&self, place: &Place, full_every: u32) -> anyhow::Result<Option<Archive>> {
        let listing = place.list().await?;
        let Some(newest) = runstone_store::backup::newest_at(&listing.archives, None) else {
            return Ok(None);
        };
        // A chain that is not whole is not made longer.
        let Ok(chain) = runstone_store::backup::chain(newest.header.id, &listing.archives) else {
            return Ok(None);
        };
        let increments = u32::try_from(chain.len()).unwrap_or(u32::MAX);
        Ok((increments < full_every).then(|| newest.clone()))
    }

    async fn tidy(&self, place: &Place, now: Timestamp) -> Tidied {
        let mut tidied = Tidied::default();
        let keep = self.args.keep();
        if keep == runstone_store::backup::Keep::default() {
            return tidied;
        }
        let listing = match place.list().await {
            Ok(listing) => listing,
            Err(trouble) => {
                tidied.failed.push(trouble.to_string());
                return tidied;
            }
        };
        for archive in runstone_store::backup::outdated(&listing.archives, keep, now) {
            match place.delete(&archive).await {
                Ok(()) => tidied.deleted.push(archive.path.display().to_string()),
                Err(trouble) => tidied.failed.push(trouble.to_string()),
            }
        }
        tidied
    }

    /// Says what was made.
    pub(super) fn tell(&self, made: &Made, line: bool) -> anyhow::Result<()> {
        let Made { taken, to, tidied } = made;
        for failed in &tidied.failed {
            note(&format!(
                "warning: an archive that had its day stays: {failed}"
            ));
        }
        if self.args.json {
            let document = json(taken, to, tidied);
            return match line {
                true => print::out(&format!("{document}\n")),
                false => print::json(&document),
            };
        }
        if taken.isolation == Isolation::Locks && !self.args.quiet {
            note(
                "note: the database keeps no row versions, so others could not write what had been \
                 read until the backup was done; ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON \
                 lets them",
            );
        }
        let rows = taken.trailer.rows.iter();
        let rows: u64 = rows
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "run_ids" | "blob_hashes" | "flow_version_ids"
                )
            })
            .map(|(_, count)| count)
            .sum();
        let kind = match taken.header.parent {
            None => "full",
            Some(_) => "incremental",
        };
        let mut text = format!(
            "{to}\n  {kind}, {}, {} ({} before compression)\n",
            count(rows, "row"),
            bytes(taken.bytes),
            bytes(taken.trailer.raw_bytes)
        );
        for archive in &tidied.deleted {
            text.push_str(&format!("  deleted {archive}\n"));
        }
        print::out(&text)
    }
}

fn local(
    (archive, temporary): (Archive, Option<tempfile::TempPath>),
) -> (Option<Archive>, Option<tempfile::TempPath>) {
    (Some(archive), temporary)
}

fn json(taken: &Taken, to: &str, tidied: &Tidied) -> Value {
    let rows: &BTreeMap<String, u64> = &taken.trailer.rows;
    json!({
        "archive": to,
        "id": taken.header.id,
        "parent": taken.header.parent,
        "created_at": duration::rfc3339(Timestamp(taken.header.created_at)),
        "source": taken.header.source,
        "schema_version": taken.header.schema_version,
        "bytes": taken.bytes,
        "raw_bytes": taken.trailer.raw_bytes,
        "rows": rows,
        "deleted": tidied.deleted,
        "not_deleted": tidied.failed,
    })
}
