//! The database that is restored into: that it is empty, that nobody else uses it, and the mark
//! that says that a restore is under way. The mark is a row among the servers, under an id that no
//! server has; its heartbeat, which only the restore knows, fences another restore.
use std::sync::Arc;

use runstone_db::{Batch, Class, Database, Statement, Value};
use runstone_model::time::Timestamp;
use uuid::Uuid;

use super::{BackupError, whole};
use crate::{Error, OpenOptions, SqlStore, catalog::Catalog, schema};

/// The mark's id: nothing was made in 1970.
const MARK: Uuid = Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002);
/// A restore that was not heard of for so long is dead; another one may begin anew.
const DEAD_US: i64 = 15_000_000;
/// A process that was heard of since is at work on the database.
const AT_WORK_US: i64 = 30_000_000;

/// When a restore into this database was last heard of; `None` when none is under way or was
/// broken off.
pub(crate) async fn restore_under_way(
    db: &Database,
    sql: &Catalog,
) -> Result<Option<Timestamp>, runstone_db::Error> {
    let mark = [("id", Value::Uuid(MARK))];
    let row = db.fetch_optional(&sql.backup_restoring, &mark).await?;
    row.map(|row| row.get("heartbeat_at").map(Timestamp))
        .transpose()
}

/// The time, as the caller knows it.
pub(super) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A database that nobody may use until the restore is done.
pub(super) struct Target {
    store: SqlStore,
    clock: Clock,
    /// The mark's heartbeat, as this restore wrote it last.
    beat: i64,
}

/// What is in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) projects: u64,
    pub(super) flows: u64,
    pub(super) versions: u64,
    pub(super) blobs: u64,
    pub(super) runs: u64,
    /// Rows of the tables that are held whole.
    pub(super) others: [u64; whole::LATER.len()],
}

impl Target {
    /// Opens the database at `url`, makes its tables and marks it. What a restore that was broken
    /// off left in it is deleted.
    pub(super) async fn open(url: &str, who: &str, clock: Clock) -> Result<Self, BackupError> {
        let options = OpenOptions {
            migrate: true,
            engine_lock: true,
            who: who.to_owned(),
            ..OpenOptions::default()
        };
        // It counts whole tables when everything is in them.
        let store = SqlStore::open_even_half_restored(url, options, true).await?;
        let mut target = Self {
            store,
            clock,
            beat: 0,
        };
        match target.take().await {
            Ok(()) => Ok(target),
            Err(error) => {
                target.close().await;
                Err(error)
            }
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn db(&self) -> &Database {
        self.store.database()
    }

    pub(super) fn sql(&self) -> &Arc<Catalog> {
        self.store.sql()
    }

    async fn take(&mut self) -> Result<(), BackupError> {
        let now = (self.clock)().0;
        match restore_under_way(self.db(), self.sql()).await? {
            None => self.refuse_occupied(now).await?,
            Some(heard) => self.take_over(heard.0, now).await?,
        }
        self.beat = now;
        let begin = [("id", Value::Uuid(MARK)), ("now", now.into())];
        let begun = self.db().execute(&self.sql().backup_restore_begin, &begin);
        match begun.await {
            Ok(_) => Ok(()),
            Err(error) if error.class == Class::Unique => Err(another(0)),
            Err(error) => Err(error.into()),
        }
    }

    async fn refuse_occupied(&self, now: i64) -> Result<(), BackupError> {
        let found = self.counts().await?;
        let named = [
            (found.projects.saturating_sub(1), "projects of your own"),
            (found.flows, "flows"),
            (found.runs, "runs"),
            (found.blobs, "stored values"),
        ];
        let others = whole::LATER.iter().zip(found.others);
        let others = others.map(|(section, count)| (count, section.name()));
        let named: Vec<(u64, &str)> = named.into_iter().chain(others).collect();
        let named = named.iter().filter(|(count, _)| *count > 0);
        let named: Vec<String> = named.map(|(n, what)| format!("{n} {what}")).collect();
        if !named.is_empty() {
            return Err(BackupError::NotEmpty {
                found: named.join(", "),
            });
        }
        let mark = [("id", Value::Uuid(MARK))];
        let others = self.db().fetch_optional(&self.sql().backup_others, &mark);
        let heard: Option<i64> = match others.await? {
            Some(row) => row.get("heard_at")?,
            None => None,
        };
        // On an SQLite file nobody else can be: the engine's lock is ours.
        match heard {
            Some(heard) if !self.store.is_locked() && now - heard < AT_WORK_US => {
                Err(BackupError::Occupied(format!(
                    "a process is at work on the database (heard of {} s ago); stop it first",
                    (now - heard).max(0) / 1_000_000
                )))
            }
            _ => Ok(()),
        }
    }

    /// Takes the place of a restore that was broken off, and deletes what it left.
    async fn take_over(&mut self, heard: i64, now: i64) -> Result<(), BackupError> {
        let ago = now.saturating_sub(heard);
        if !self.store.is_locked() && ago < DEAD_US {
            return Err(another(ago));
        }
        self.beat = heard;
        // The tables go with everything in them, the mark too; nobody else gets this far.
        let mut batch = Batch::new();
        self.push_beat(&mut batch);
        match self.db().batch(batch).await {
            Err(error) if error.class == Class::Expectation => return Err(another(0)),
            done => done?,
        };
        schema::empty(self.db()).await?;
        Ok(())
    }

    /// Executes `steps` in one transaction, unless another restore has taken the database over.
    pub(super) async fn write(
        &mut self,
        steps: Vec<(Arc<Statement>, Vec<Vec<Value>>)>,
    ) -> Result<(), BackupError> {
        let mut batch = Batch::new();
        for (statement, rows) in steps {
            batch.push(&statement, rows, None);
        }
        self.push_beat(&mut batch);
        match self.db().batch(batch).await {
            Ok(_) => Ok(()),
            Err(error) if error.class == Class::Expectation => Err(another(0)),
            Err(error) => Err(error.into()),
        }
    }

    fn push_beat(&mut self, batch: &mut Batch) {
        let seen = self.beat;
        // Never the same twice, or another restore could not be told from this one.
        self.beat = (self.clock)().0.max(seen + 1);
        let beat = vec![self.beat.into(), Value::Uuid(MARK), seen.into()];
        batch.push(&self.store.sql().backup_restore_beat, vec![beat], Some(1));
    }

    pub(super) async fn counts(&self) -> Result<Counts, BackupError> {
        let row = self.db().fetch_optional(&self.sql().backup_counts, &[]);
        let row = row.await?.ok_or_else(|| {
            Error::Other("the database does not say how much is in it".to_owned())
        })?;
        let mut others = [0; whole::LATER.len()];
        for (count, section) in others.iter_mut().zip(whole::LATER) {
            *count = row.get(&format!("{}_found", section.name()))?;
        }
        Ok(Counts {
            others,
            projects: row.get("projects_found")?,
            flows: row.get("flows_found")?,
            versions: row.get("versions_found")?,
            blobs: row.get("blobs_found")?,
            runs: row.get("runs_found")?,
        })
    }

    /// Takes the mark away: the database may be used.
    pub(super) async fn release(&mut self) -> Result<(), BackupError> {
        let mark = vec![Value::Uuid(MARK), self.beat.into()];
        let mut batch = Batch::new();
        batch.push(&self.store.sql().backup_restore_end, vec![mark], Some(1));
        match self.db().batch(batch).await {
            Ok(_) => Ok(()),
            Err(error) if error.class == Class::Expectation => Err(another(0)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn close(&self) {
        self.store.close().await;
    }
}

fn another(ago_us: i64) -> BackupError {
    let wait = (DEAD_US - ago_us).max(0) / 1_000_000 + 1;
    BackupError::Occupied(format!(
        "another restore into this database is under way; if its process is gone, try again in \
         {wait} s"
    ))
}
