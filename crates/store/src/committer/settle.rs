//! What happens when a flush fails. Finds out which commits landed all the same (the answer of the
//! database was lost), which lost their run to another owner, and writes the rest again. A loser
//! never has a row written: every attempt is a whole transaction, and the journal's primary key
//! refuses all of it. The fast path is not here.
use std::{collections::HashMap, time::Duration};

use runstone_db::{Class, Dialect, Error as DbError, RetryPolicy};
use runstone_model::ids::{RunId, ServerId};
use tokio::time::Instant;

use super::{Sink, flush, work::Work};
use crate::{Error, StoredRow, cells::Cells, fault, journal, run};

/// How long a commit waits for a database that does not answer. A restart of the database takes
/// less; an owner that is silent for longer loses its runs.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pauses between attempts.
const PAUSES: RetryPolicy = RetryPolicy {
    attempts: u32::MAX,
    initial: Duration::from_millis(5),
    max: Duration::from_millis(500),
};
/// How often a commit is tried whose key is taken although no row has it: somebody else wrote it
/// and rolled back.
const PHANTOM_TRIES: u32 = 5;

/// What the database has of a commit.
enum Standing {
    /// All of it, from us.
    Landed,
    /// Rows of somebody else in its place.
    Taken,
    /// Nothing.
    Absent,
}

/// Settles a flush of `works` (sorted by run, each run's in order) that failed with `error`.
/// Answers one result for each.
pub(super) async fn settle(sink: &Sink, works: &[Work], error: DbError) -> Vec<Result<(), Error>> {
    let mut settling = Settling {
        sink,
        works,
        answers: works.iter().map(|_| None).collect(),
        failed: HashMap::new(),
        deadline: Instant::now() + PATIENCE,
    };
    settling.run(error).await;
    let lost = || {
        Err(Error::Other(
            "a commit was left without an answer".to_owned(),
        ))
    };
    settling
        .answers
        .into_iter()
        .map(|answer| answer.unwrap_or_else(lost))
        .collect()
}

struct Settling<'a> {
    sink: &'a Sink,
    works: &'a [Work],
    answers: Vec<Option<Result<(), Error>>>,
    /// Runs that failed: what comes after in the same run must not be written.
    failed: HashMap<RunId, Error>,
    deadline: Instant,
}

impl Settling<'_> {
    /// As long as it is the database that fails, all together; else each alone.
    async fn run(&mut self, mut error: DbError) {
        let mut attempt = 0;
        while fault::may_pass(error.class) {
            attempt += 1;
            if !self.pause(attempt).await {
                return self.answer_open(&error.into());
            }
            if let Err(again) = self.look_at_open().await {
                error = again;
                continue;
            }
            let open: Vec<&Work> = self.open().map(|at| &self.works[at]).collect();
            if open.is_empty() {
                return;
            }
            let batch = flush::batch(&self.sink.sql, open.into_iter());
            match self.sink.db.batch(batch).await {
                Ok(_) => return self.land_open(),
                Err(again) => error = again,
            }
        }
        if matches!(error.class, Class::ReadOnly | Class::Full | Class::Corrupt) {
            return self.answer_open(&self.fault(error));
        }
        let open: Vec<usize> = self.open().collect();
        for at in open {
            let work = &self.works[at];
            let answer = match self.failed.get(&work.run) {
                Some(error) => Err(error.clone()),
                None => self.alone(work).await,
            };
            self.answer(at, answer);
        }
    }

    /// Writes one commit in a transaction of its own.
    async fn alone(&self, work: &Work) -> Result<(), Error> {
        let mut attempt = 0;
        let mut phantoms = 0;
        loop {
            let batch = flush::batch(&self.sink.sql, std::iter::once(work));
            let mut error = match self.sink.db.batch(batch).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            loop {
                match error.class {
                    Class::Expectation | Class::Unique => phantoms += 1,
                    class if fault::may_pass(class) => {
                        attempt += 1;
                        if !self.pause(attempt).await {
                            return Err(error.into());
                        }
                    }
                    _ => return Err(self.fault(error)),
                }
                match self.standing(work).await {
                    Ok(Standing::Landed) => return Ok(()),
                    Ok(Standing::Taken) => return Err(Error::Fenced),
                    // The run's row is not there, or of another epoch.
                    Ok(Standing::Absent) if error.class == Class::Expectation => {
                        return Err(Error::Fenced);
                    }
                    Ok(Standing::Absent) if phantoms >= PHANTOM_TRIES => return Err(error.into()),
                    Ok(Standing::Absent) => break,
                    Err(again) => error = again,
                }
            }
        }
    }

    /// A server's disk is given room again while we live: a run waits for that. When a file's is
    /// full, it is ours, and there may be nobody to make room before this process ends.
    fn fault(&self, error: DbError) -> Error {
        let server = self.sink.db.dialect() != Dialect::Sqlite;
        if error.class == Class::Full && server {
            Error::Unavailable(error.to_string())
        } else {
            error.into()
        }
    }

    /// Answers those of the open commits that have landed or are taken.
    async fn look_at_open(&mut self) -> Result<(), DbError> {
        let open: Vec<usize> = self.open().collect();
        for at in open {
            let work = &self.works[at];
            if let Some(error) = self.failed.get(&work.run) {
                let error = error.clone();
                self.answer(at, Err(error));
                continue;
            }
            match self.standing(work).await? {
                Standing::Landed => self.answer(at, Ok(())),
                Standing::Taken => self.answer(at, Err(Error::Fenced)),
                Standing::Absent => {}
            }
        }
        Ok(())
    }

    /// What the database has of `work`. A run's own row needs no look: it changes together with
    /// the journal, or in the same way a second time.
    async fn standing(&self, work: &Work) -> Result<Standing, DbError> {
        if let (Some(first), Some(last)) = (work.rows.first(), work.rows.last()) {
            let params = [
                ("run", work.run.0.into()),
                ("after", journal::int(first.seq.saturating_sub(1))),
                (
                    "limit",
                    journal::int(last.seq.saturating_sub(first.seq) + 1),
                ),
            ];
            let found = self
                .sink
                .db
                .fetch_all(&self.sink.sql.journal_page, &params)
                .await?;
            if !found.is_empty() {
                let found: Result<Vec<StoredRow>, Error> = found
                    .into_iter()
                    .map(|row| journal::read(row).map(|(_, row)| row))
                    .collect();
                let ours = found.is_ok_and(|found| {
                    found.len() == work.rows.len()
                        && found
                            .iter()
                            .zip(&work.rows)
                            .all(|(found, ours)| found.epoch == work.epoch && found.row == *ours)
                });
                return Ok(if ours {
                    Standing::Landed
                } else {
                    Standing::Taken
                });
            }
        }
        let Some(create) = &work.create else {
            return Ok(Standing::Absent);
        };
        let ids = [("ids", run::id_list(&[work.run]))];
        let Some(row) = self
            .sink
            .db
            .fetch_optional(&self.sink.sql.run_epochs, &ids)
            .await?
        else {
            return Ok(Standing::Absent);
        };
        let mut cells = Cells::new("runs", row);
        let ours = cells.next::<uuid::Uuid>().is_ok()
            && cells.next::<i64>().is_ok_and(|epoch| epoch == work.epoch)
            // Somebody else may start the same run, as its id was noted before.
            && cells.next::<Option<uuid::Uuid>>().is_ok_and(|owner| owner.map(ServerId) == create.owner)
            && work.rows.is_empty();
        Ok(if ours {
            Standing::Landed
        } else {
            Standing::Taken
        })
    }

    fn open(&self) -> impl Iterator<Item = usize> {
        self.answers
            .iter()
            .enumerate()
            .filter(|(_, a)| a.is_none())
            .map(|(at, _)| at)
    }

    fn answer(&mut self, at: usize, answer: Result<(), Error>) {
        if let Err(error) = &answer {
            self.failed
                .entry(self.works[at].run)
                .or_insert_with(|| error.clone());
        }
        self.answers[at] = Some(answer);
    }

    fn land_open(&mut self) {
        for answer in &mut self.answers {
            answer.get_or_insert(Ok(()));
        }
    }

    fn answer_open(&mut self, error: &Error) {
        for answer in &mut self.answers {
            answer.get_or_insert_with(|| Err(error.clone()));
        }
    }

    /// Waits before attempt `attempt + 1`; false when patience is at its end.
    async fn pause(&self, attempt: u32) -> bool {
        let now = Instant::now();
        if now >= self.deadline {
            return false;
        }
        let pause = PAUSES.ceiling(attempt).mul_f64(rand::random::<f64>());
        tokio::time::sleep_until(self.deadline.min(now + pause)).await;
        true
    }
}
