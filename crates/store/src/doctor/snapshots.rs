//! Every snapshot: it can be unpacked, and is what its journal folds to.
use std::collections::{BTreeSet, HashMap};

use runstone_model::ids::RunId;
use uuid::Uuid;

use super::{Doctor, Finding, Folded, Severity};
use crate::{Error, Snapshot, blob, load};

/// Snapshots of one page: each may hold megabytes.
const PAGE: u32 = 16;

impl Doctor<'_> {
    pub(super) async fn snapshots(&mut self) -> Result<(), Error> {
        let (mut run, mut done) = (Uuid::nil(), 0_u64);
        loop {
            let params = [("run", run.into()), ("limit", PAGE.into())];
            let sql = &self.store.sql().doctor_snapshots;
            let rows = self.store.database().fetch_all(sql, &params).await?;
            let full = rows.len() == PAGE as usize;
            for row in rows {
                run = row.get("run_id")?;
                let seq: i64 = row.get("seq")?;
                match load::snapshot(row) {
                    Ok((_, snapshot)) => self.snapshot(run, seq, &snapshot).await?,
                    Err(error) => self.useless(run, seq, error.to_string()).await?,
                }
                done += 1;
            }
            self.progress("snapshots", done);
            if !full {
                return Ok(());
            }
        }
    }

    async fn snapshot(&mut self, run: Uuid, seq: i64, snapshot: &Snapshot) -> Result<(), Error> {
        let mut hashes = BTreeSet::new();
        blob::collect_hashes(&snapshot.body, &mut hashes);
        let wanted: HashMap<String, Uuid> = hashes.into_iter().map(|hash| (hash, run)).collect();
        self.values(wanted).await?;
        let Some(folds) = self.how.folds else {
            return Ok(());
        };
        let told = |severity, message: String, mend: &str| Finding {
            check: "snapshots",
            severity,
            message,
            mend: mend.to_owned(),
            fixed: None,
        };
        match folds.compare(RunId(run), snapshot).await {
            Folded::Same => {}
            Folded::Different(what) => {
                let message =
                    format!("the snapshot of run {run} is not what its journal says: {what}");
                self.useless(run, seq, message).await?;
            }
            Folded::Broken(why) => self.book.add(told(
                Severity::Error,
                format!("the journal of run {run} cannot be folded up to its snapshot: {why}"),
                "the run may go on from its snapshot; a backup has its past",
            )),
            Folded::Unknown(why) => self.book.add(told(
                Severity::Note,
                format!("the snapshot of run {run} was not compared with its journal: {why}"),
                "run the doctor of the program that executes this flow",
            )),
        }
        Ok(())
    }

    /// A snapshot that is not to be used. It may go when the journal holds all that it folds.
    async fn useless(&mut self, run: Uuid, seq: i64, message: String) -> Result<(), Error> {
        let journal = self.journal_of(run).await?;
        let whole = journal.rows == journal.last && journal.last >= seq;
        let mut fixed = None;
        if whole && self.how.fix.is_some() {
            let delete = &self.store.sql().doctor_delete_snapshot;
            let params = [("run", run.into()), ("seq", seq.into())];
            self.store.database().execute(delete, &params).await?;
            fixed = Some(format!("deleted the snapshot of run {run}"));
        }
        let mend = if whole {
            "the journal holds everything it folds; --fix deletes it"
        } else {
            "restore a backup: the journal does not hold what it folds either"
        };
        self.book.add(Finding {
            check: "snapshots",
            severity: Severity::Error,
            message,
            mend: mend.to_owned(),
            fixed,
        });
        Ok(())
    }
}
