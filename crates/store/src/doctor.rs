//! Looks for what must not be: damage, gaps, runs that nobody executes, values that nobody refers
//! to. Reads only, in pages; mends nothing.
use std::collections::BTreeSet;

use runstone_db::Value;
use runstone_model::time::Timestamp;
use uuid::Uuid;

use crate::{Error, SqlStore, blob, cells::Cells, load};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong, but something can be tidied.
    Note,
    /// Something does not go on until somebody acts.
    Warning,
    /// Data is damaged or missing.
    Error,
}

/// One thing that the doctor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which check found it, as in `journal_gaps`.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and where.
    pub message: String,
    /// What to do about it.
    pub mend: String,
}

fn damaged(message: String) -> Finding {
    Finding {
        check: "integrity",
        severity: Severity::Error,
        message,
        mend: "stop every process that uses it and restore the last backup".to_owned(),
    }
}

/// At most so many findings of one check: the first ones tell the story.
const MOST: u32 = 20;
/// Rows of one page when everything is read.
const PAGE: u32 = 500;

impl SqlStore {
    /// Checks the whole database. Owners whose last heartbeat is before `expired_before` count
    /// as dead. Reads everything once: it may take minutes on a large database.
    ///
    /// # Errors
    /// What the database answered; damage that was found is no error but a finding.
    pub async fn doctor(&self, expired_before: Timestamp) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        match self.examine(expired_before, &mut findings).await {
            Err(Error::Damaged(message)) => {
                if !findings.iter().any(|found| found.check == "integrity") {
                    findings.push(damaged(message));
                }
            }
            done => done?,
        }
        Ok(findings)
    }

    async fn examine(
        &self,
        expired_before: Timestamp,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        self.integrity(findings).await?;
        self.journal_gaps(findings).await?;
        self.journal_orphans(findings).await?;
        self.dead_owners(expired_before, findings).await?;
        self.ended_with_owner(findings).await?;
        self.blobs(findings).await
    }

    async fn integrity(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        for row in self
            .database()
            .fetch_all(&self.sql().doctor_integrity, &[])
            .await?
        {
            let message: String = row.get("finding")?;
            if message != "ok" {
                findings.push(damaged(format!("the database file is damaged: {message}")));
            }
        }
        Ok(())
    }

    async fn journal_gaps(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let limit = [("limit", MOST.into())];
        for row in self
            .database()
            .fetch_all(&self.sql().doctor_journal_gaps, &limit)
            .await?
        {
            let mut cells = Cells::new("journal", row);
            let run: Uuid = cells.next()?;
            let rows: i64 = cells.next()?;
            let last: i64 = cells.next()?;
            findings.push(Finding {
                check: "journal_gaps",
                severity: Severity::Error,
                message: format!("the journal of run {run} has {rows} rows, its last is {last}"),
                mend: "the run cannot be resumed; restore a backup, or start it again".to_owned(),
            });
        }
        Ok(())
    }

    async fn journal_orphans(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let limit = [("limit", MOST.into())];
        for row in self
            .database()
            .fetch_all(&self.sql().doctor_journal_orphans, &limit)
            .await?
        {
            let run: Uuid = Cells::new("journal", row).next()?;
            findings.push(Finding {
                check: "journal_orphans",
                severity: Severity::Warning,
                message: format!("there is a journal of run {run}, but no such run"),
                mend: "nothing reads these rows; delete them with SQL".to_owned(),
            });
        }
        Ok(())
    }

    async fn dead_owners(
        &self,
        expired_before: Timestamp,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let expired = [("expired_before", Value::Int(expired_before.0))];
        let statement = &self.sql().doctor_owned_by_dead;
        for row in self.database().fetch_all(statement, &expired).await? {
            let mut cells = Cells::new("runs", row);
            let owner: Uuid = cells.next()?;
            let runs: i64 = cells.next()?;
            findings.push(Finding {
                check: "dead_owners",
                severity: Severity::Warning,
                message: format!(
                    "{runs} unfinished run(s) belong to server {owner}, which is dead"
                ),
                mend: "`runstone resume --all` goes on with them".to_owned(),
            });
        }
        Ok(())
    }

    async fn ended_with_owner(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let limit = [("limit", MOST.into())];
        let statement = &self.sql().doctor_ended_with_owner;
        for row in self.database().fetch_all(statement, &limit).await? {
            let run: Uuid = Cells::new("runs", row).next()?;
            findings.push(Finding {
                check: "ended_with_owner",
                severity: Severity::Error,
                message: format!("run {run} has ended and still has an owner"),
                mend: "a constraint forbids this: the schema was changed by hand; restore it"
                    .to_owned(),
            });
        }
        Ok(())
    }

    async fn blobs(&self, findings: &mut Vec<Finding>) -> Result<(), Error> {
        let stored = self.stored_blobs().await?;
        let mut wanted = BTreeSet::new();
        self.journal_references(&mut wanted).await?;
        self.snapshot_references(&mut wanted, findings).await?;
        for hash in wanted.difference(&stored).take(MOST as usize) {
            findings.push(Finding {
                check: "blobs_missing",
                severity: Severity::Error,
                message: format!("a run refers to the value {hash}, which is not there"),
                mend: "restore a backup; a value stored under this hash again mends it".to_owned(),
            });
        }
        let unused = stored.difference(&wanted).count();
        if unused > 0 {
            findings.push(Finding {
                check: "blobs_unused",
                severity: Severity::Note,
                message: format!("{unused} stored values belong to no run"),
                mend: "they only take space; runs that were deleted left them".to_owned(),
            });
        }
        Ok(())
    }

    async fn stored_blobs(&self) -> Result<BTreeSet<String>, Error> {
        let mut stored = BTreeSet::new();
        let mut after = String::new();
        loop {
            let params = [("after", after.as_str().into()), ("limit", PAGE.into())];
            let rows = self
                .database()
                .fetch_all(&self.sql().doctor_blob_hashes, &params)
                .await?;
            let full = rows.len() == PAGE as usize;
            for row in rows {
                after = Cells::new("blobs", row).next()?;
                stored.insert(after.clone());
            }
            if !full {
                return Ok(stored);
            }
        }
    }

    async fn journal_references(&self, wanted: &mut BTreeSet<String>) -> Result<(), Error> {
        let (mut run, mut seq) = (Uuid::nil(), 0_i64);
        loop {
            let params = [
                ("run", run.into()),
                ("seq", seq.into()),
                ("limit", PAGE.into()),
            ];
            let statement = &self.sql().doctor_journal_blob_refs;
            let rows = self.database().fetch_all(statement, &params).await?;
            let full = rows.len() == PAGE as usize;
            for row in rows {
                let mut cells = Cells::new("journal", row);
                run = cells.next()?;
                seq = cells.next()?;
                blob::collect_hashes(&cells.next::<String>()?, wanted);
            }
            if !full {
                return Ok(());
            }
        }
    }

    async fn snapshot_references(
        &self,
        wanted: &mut BTreeSet<String>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Error> {
        let mut run = Uuid::nil();
        loop {
            let params = [("run", run.into()), ("limit", PAGE.into())];
            let rows = self
                .database()
                .fetch_all(&self.sql().doctor_snapshots, &params)
                .await?;
            let full = rows.len() == PAGE as usize;
            for row in rows {
                run = row.get("run_id")?;
                match load::snapshot(row) {
                    Ok((_, snapshot)) => blob::collect_hashes(&snapshot.body, wanted),
                    Err(error) => findings.push(Finding {
                        check: "snapshots",
                        severity: Severity::Error,
                        message: error.to_string(),
                        mend: "delete this snapshot: the journal holds everything it folds"
                            .to_owned(),
                    }),
                }
            }
            if !full {
                return Ok(());
            }
        }
    }
}
