//! Who has which runs: unfinished ones of the dead, ended ones of anybody; ended ones without a
//! journal; those that have a time and do not wait for it.
use runstone_db::Value;
use runstone_model::{
    ids::{RunId, ServerId},
    run::Status,
};
use uuid::Uuid;

use super::{Doctor, Finding, Fix, PAGE, Severity};
use crate::{Claim, Error, Store as _, cells::Cells};

impl Doctor<'_> {
    pub(super) async fn owners(&mut self) -> Result<(), Error> {
        self.dead_owners().await?;
        let (mut after, mut done) = (Uuid::nil(), 0_u64);
        loop {
            let params = [("after", after.into()), ("limit", PAGE.into())];
            let sql = &self.store.sql().doctor_runs_page;
            let rows = self.store.database().fetch_all(sql, &params).await?;
            let full = rows.len() == PAGE as usize;
            done += rows.len() as u64;
            for row in rows {
                let mut cells = Cells::new("runs", row);
                after = cells.next()?;
                let ended = cells.next::<Option<i64>>()?.is_some();
                let owned = cells.next::<Option<Uuid>>()?.is_some();
                let waits = cells.next::<String>()? == Status::Waiting.name();
                let timed = cells.next::<Option<i64>>()?.is_some();
                let first: Option<i64> = cells.next()?;
                if timed && (owned || !waits) {
                    self.not_parked(after).await?;
                }
                if ended && owned {
                    self.ended_with_owner(after).await?;
                }
                if ended && first.is_none() {
                    self.ended_without_journal(after);
                }
            }
            self.progress("runs", done);
            if !full {
                return Ok(());
            }
        }
    }

    fn ended_without_journal(&mut self, run: Uuid) {
        self.book.add(Finding {
            check: "journal_gaps",
            severity: Severity::Error,
            message: format!("run {run} has ended and has no journal"),
            mend: "its steps are gone; restore a backup".to_owned(),
            fixed: None,
        });
    }

    /// Whoever looks for runs passes over one that has a time.
    async fn not_parked(&mut self, run: Uuid) -> Result<(), Error> {
        let mut fixed = None;
        if self.how.fix.is_some() {
            let unpark = &self.store.sql().doctor_unpark;
            let params = [("run", run.into())];
            self.store.database().execute(unpark, &params).await?;
            fixed = Some(format!("run {run} has no time any more"));
        }
        self.book.add(Finding {
            check: "wakes_without_waiting",
            severity: Severity::Warning,
            message: format!("run {run} has a time to wake at and does not wait for it"),
            mend: "somebody changed its row; --fix takes the time away, and the run goes on"
                .to_owned(),
            fixed,
        });
        Ok(())
    }

    async fn ended_with_owner(&mut self, run: Uuid) -> Result<(), Error> {
        let mut fixed = None;
        if self.how.fix.is_some() {
            let disown = &self.store.sql().doctor_disown;
            let params = [("run", run.into())];
            self.store.database().execute(disown, &params).await?;
            fixed = Some(format!("run {run} has no owner now"));
        }
        self.book.add(Finding {
            check: "ended_with_owner",
            severity: Severity::Warning,
            message: format!("run {run} has ended and still has an owner"),
            mend: "a constraint forbids this: mend the schema; --fix takes the owner away"
                .to_owned(),
            fixed,
        });
        Ok(())
    }

    async fn dead_owners(&mut self) -> Result<(), Error> {
        let expired = [("expired_before", Value::Int(self.how.expired_before.0))];
        let sql = &self.store.sql().doctor_owned_by_dead;
        for row in self.store.database().fetch_all(sql, &expired).await? {
            let mut cells = Cells::new("runs", row);
            let owner = ServerId(cells.next()?);
            let runs: i64 = cells.next()?;
            let mut fixed = None;
            if let Some(fix) = self.how.fix {
                let released = self.take_from(owner, fix).await?;
                fixed = Some(format!(
                    "{released} run(s) of server {owner} have no owner now"
                ));
            }
            self.book.add(Finding {
                check: "dead_owners",
                severity: Severity::Warning,
                message: format!(
                    "{runs} unfinished run(s) belong to server {owner}, which is dead"
                ),
                mend: "`runstone resume --all` goes on with them".to_owned(),
                fixed,
            });
        }
        Ok(())
    }

    /// Claims the runs of a dead owner as anybody would, which fences it should it come back, and
    /// gives them up.
    async fn take_from(&self, owner: ServerId, fix: Fix) -> Result<u64, Error> {
        let mut taken = 0;
        loop {
            let page = self.store.owned(owner, None).await?;
            let before = taken;
            for run in page {
                taken += u64::from(self.take(run, fix).await?);
            }
            // The rest went on meanwhile, or somebody else has them.
            if taken == before {
                break;
            }
        }
        self.store.release(fix.server).await?;
        Ok(taken)
    }

    async fn take(&self, run: RunId, fix: Fix) -> Result<bool, Error> {
        let claim = Claim {
            server: fix.server,
            now: fix.now,
            expired_before: self.how.expired_before,
            limit: 1,
            only: Some(run),
        };
        Ok(!self.store.claim(claim).await?.is_empty())
    }
}
