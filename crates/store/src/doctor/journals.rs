//! Every journal: whole from 1 to its end, of a run that exists, with as many steps as the run
//! says, and with every value that it refers to.
use std::collections::{BTreeSet, HashMap};

use runstone_db::{Row, Value};
use runstone_model::ids::RunId;
use uuid::Uuid;

use super::{Doctor, Finding, PAGE, Severity};
use crate::{Error, blob, cells::Cells, run};

/// Rows whose values are looked for at a time.
const ROWS: i64 = 20_000;
/// Bodies of one page: each may hold half a megabyte.
const BODIES: u32 = 100;

/// A journal, counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) run: Uuid,
    pub(super) rows: i64,
    pub(super) last: i64,
    pub(super) steps: i64,
}

/// What the run's own row says.
struct Said {
    steps: i64,
    ended: bool,
}

impl Doctor<'_> {
    pub(super) async fn journals(&mut self) -> Result<(), Error> {
        let (mut after, mut done) = (Uuid::nil(), 0_u64);
        loop {
            let params = [("after", after.into()), ("limit", PAGE.into())];
            let sql = &self.store.sql().doctor_journals;
            let rows = self.store.database().fetch_all(sql, &params).await?;
            let mut page = Vec::with_capacity(rows.len());
            for row in rows {
                page.push(counted(row)?);
            }
            let Some(last) = page.last() else {
                return Ok(());
            };
            let next = last.run;
            self.page(&page).await?;
            self.values_of(after, &page).await?;
            after = next;
            done += page.len() as u64;
            self.progress("journals", done);
            if page.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    async fn page(&mut self, page: &[Counted]) -> Result<(), Error> {
        let ids: Vec<RunId> = page.iter().map(|journal| RunId(journal.run)).collect();
        let runs = self.said(&ids).await?;
        for journal in page {
            let said = runs.get(&journal.run);
            let steps_differ = said.is_some_and(|said| said.ended && said.steps != journal.steps);
            let gap = journal.rows != journal.last;
            // Runs went on between the two reads: only what is still so is a finding.
            if gap || steps_differ || said.is_none() {
                self.again(journal.run).await?;
            }
        }
        Ok(())
    }

    /// Looks at one run again, the run's row first: an ended one gets no more rows.
    async fn again(&mut self, run: Uuid) -> Result<(), Error> {
        let said = self.said(&[RunId(run)]).await?.remove(&run);
        let journal = self.journal_of(run).await?;
        if journal.rows == 0 {
            return Ok(()); // deleted meanwhile
        }
        let Some(said) = said else {
            return self.orphan(journal).await;
        };
        if journal.rows != journal.last {
            let (rows, last) = (journal.rows, journal.last);
            self.book.add(Finding {
                check: "journal_gaps",
                severity: Severity::Error,
                message: format!("the journal of run {run} has {rows} rows, its last is {last}"),
                mend: "the run cannot be resumed; restore a backup, or start it again".to_owned(),
                fixed: None,
            });
        } else if said.ended && said.steps != journal.steps {
            self.steps_differ(journal, said.steps).await?;
        }
        Ok(())
    }

    async fn orphan(&mut self, journal: Counted) -> Result<(), Error> {
        let run = journal.run;
        let mut fixed = None;
        if self.how.fix.is_some() {
            let delete = &self.store.sql().doctor_delete_orphan_journal;
            let params = [("run", run.into())];
            let rows = self.store.database().execute(delete, &params).await?;
            fixed = Some(format!("deleted {rows} rows of run {run}"));
        }
        self.book.add(Finding {
            check: "journal_orphans",
            severity: Severity::Warning,
            message: format!("there is a journal of run {run}, but no such run"),
            mend: "nothing reads these rows; --fix deletes them".to_owned(),
            fixed,
        });
        Ok(())
    }

    async fn steps_differ(&mut self, journal: Counted, said: i64) -> Result<(), Error> {
        let (run, steps) = (journal.run, journal.steps);
        let mut fixed = None;
        if self.how.fix.is_some() {
            let recount = &self.store.sql().doctor_recount_steps;
            let params = [("run", run.into())];
            self.store.database().execute(recount, &params).await?;
            fixed = Some(format!("run {run} says {steps} steps now"));
        }
        self.book.add(Finding {
            check: "counters",
            severity: Severity::Warning,
            message: format!("run {run} says {said} steps, its journal has {steps}"),
            mend: "--fix counts them again".to_owned(),
            fixed,
        });
        Ok(())
    }

    async fn said(&self, runs: &[RunId]) -> Result<HashMap<Uuid, Said>, Error> {
        let ids = [("ids", run::id_list(runs))];
        let sql = &self.store.sql().doctor_runs;
        let rows = self.store.database().fetch_all(sql, &ids).await?;
        let mut said = HashMap::with_capacity(rows.len());
        for row in rows {
            let mut cells = Cells::new("runs", row);
            let run: Uuid = cells.next()?;
            let steps = cells.next()?;
            let ended = cells.next::<Option<i64>>()?.is_some();
            said.insert(run, Said { steps, ended });
        }
        Ok(said)
    }

    /// One run's journal, counted now.
    pub(super) async fn journal_of(&self, run: Uuid) -> Result<Counted, Error> {
        let params = [("run", run.into())];
        let sql = &self.store.sql().doctor_journal_of;
        let mut counted = Counted {
            run,
            rows: 0,
            last: 0,
            steps: 0,
        };
        if let Some(row) = self.store.database().fetch_optional(sql, &params).await? {
            let mut cells = Cells::new("journal", row);
            counted.rows = cells.next()?;
            counted.last = cells.next()?;
            counted.steps = cells.next()?;
        }
        Ok(counted)
    }

    /// Notes what the journals of a page refer to; a few runs at a time, so that no statement
    /// reads more than it has time for.
    async fn values_of(&mut self, after: Uuid, page: &[Counted]) -> Result<(), Error> {
        let (mut from, mut rows) = (after, 0);
        for (index, journal) in page.iter().enumerate() {
            rows += journal.rows;
            if rows >= ROWS || index + 1 == page.len() {
                self.values_between(from, journal.run).await?;
                (from, rows) = (journal.run, 0);
            }
        }
        Ok(())
    }

    async fn values_between(&mut self, after: Uuid, last: Uuid) -> Result<(), Error> {
        // Every row of the run `after` was seen.
        let (mut run, mut seq) = (after, i64::MAX);
        loop {
            let params = [
                ("run", run.into()),
                ("seq", seq.into()),
                ("last", last.into()),
                ("limit", BODIES.into()),
            ];
            let sql = &self.store.sql().doctor_journal_blob_refs;
            let rows = self.store.database().fetch_all(sql, &params).await?;
            let full = rows.len() == BODIES as usize;
            let mut wanted: HashMap<String, Uuid> = HashMap::new();
            for row in rows {
                let mut cells = Cells::new("journal", row);
                (run, seq) = (cells.next()?, cells.next()?);
                let mut hashes = BTreeSet::new();
                blob::collect_hashes(&cells.next::<String>()?, &mut hashes);
                wanted.extend(hashes.into_iter().map(|hash| (hash, run)));
            }
            self.values(wanted).await?;
            if !full {
                return Ok(());
            }
        }
    }

    /// Notes the values that runs refer to, and tells those that are not there.
    pub(super) async fn values(&mut self, wanted: HashMap<String, Uuid>) -> Result<(), Error> {
        if wanted.is_empty() {
            return Ok(());
        }
        let hashes: Value = wanted.keys().map(String::as_str).collect();
        let sql = &self.store.sql().doctor_blobs_there;
        let found = self.store.database();
        let found = found.fetch_all(sql, &[("hashes", hashes)]).await?;
        let mut there = BTreeSet::new();
        for row in found {
            there.insert(Cells::new("blobs", row).next::<String>()?);
        }
        for (hash, run) in wanted {
            self.seen.add(&hash);
            if !there.contains(&hash) {
                self.book.add(Finding {
                    check: "blobs_missing",
                    severity: Severity::Error,
                    message: format!("run {run} refers to the value {hash}, which is not there"),
                    mend: "restore a backup; a value stored under this hash again mends it"
                        .to_owned(),
                    fixed: None,
                });
            }
        }
        Ok(())
    }
}

fn counted(row: Row) -> Result<Counted, Error> {
    let mut cells = Cells::new("journal", row);
    Ok(Counted {
        run: cells.next()?,
        rows: cells.next()?,
        last: cells.next()?,
        steps: cells.next()?,
    })
}
