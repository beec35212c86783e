//! Puts the rows of archives into a database: in batches of a bounded size, a run only after its
//! whole journal is there.
use std::{collections::HashSet, sync::Arc};

use runstone_db::{Statement, Value};
use uuid::Uuid;

use super::{
    BackupError, Meter,
    archive::{Section, rows_weight},
    target::Target,
    whole,
};

/// Rows of one transaction, and their bytes.
const ROWS: usize = 1000;
const BYTES: usize = 4 << 20;

/// A chunk on its way into the database.
pub(super) struct Load {
    pub(super) section: Section,
    pub(super) rows: Vec<Vec<Value>>,
    /// Whether runs of a newer archive may be there already.
    pub(super) older: bool,
}

/// The group of runs that is being loaded.
#[derive(Default)]
struct Pending {
    runs: Vec<Vec<Value>>,
    snapshots: Vec<Vec<Value>>,
    ids: HashSet<Uuid>,
}

pub(super) struct Loader<'a> {
    target: &'a mut Target,
    meter: &'a Meter,
    pending: Pending,
}

impl<'a> Loader<'a> {
    pub(super) fn new(target: &'a mut Target, meter: &'a Meter) -> Self {
        Self {
            target,
            meter,
            pending: Pending::default(),
        }
    }

    pub(super) async fn take(&mut self, load: Load) -> Result<(), BackupError> {
        let sql = Arc::clone(self.target.sql());
        let Load {
            section,
            rows,
            older,
        } = load;
        match section {
            Section::FlowVersions => {
                let statement = &sql.backup_insert_flow_versions;
                self.insert(section, statement, rows).await
            }
            Section::Blobs => {
                let now = Value::Int(self.target.now().0);
                let rows = rows.into_iter().map(|mut row| {
                    row.push(now.clone());
                    row
                });
                self.insert(section, &sql.blob_insert, rows.collect()).await
            }
            Section::Runs => {
                self.flush().await?;
                self.begin_group(rows, older).await
            }
            Section::Snapshots => {
                let ids = &self.pending.ids;
                let rows = rows.into_iter().filter(|row| of(row, ids));
                self.pending.snapshots.extend(rows);
                Ok(())
            }
            Section::Journal => {
                let ids = &self.pending.ids;
                let rows = rows.into_iter().filter(|row| of(row, ids)).collect();
                self.insert(section, &sql.journal_insert, rows).await
            }
            Section::RunLabels => {
                let ids = &self.pending.ids;
                let rows = rows.into_iter().filter(|row| has(&row[3], ids)).collect();
                self.insert(section, &sql.backup_insert_run_labels, rows)
                    .await
            }
            section => match whole::of(section, &sql) {
                Some(whole) => self.insert(section, whole.insert, rows).await,
                // Keys alone are for incremental archives.
                None => Ok(()),
            },
        }
    }

    async fn begin_group(
        &mut self,
        mut rows: Vec<Vec<Value>>,
        older: bool,
    ) -> Result<(), BackupError> {
        if older {
            let ids = rows.iter().map(|row| row[0].clone()).collect();
            let params = [("ids", Value::List(ids))];
            let there = self
                .target
                .db()
                .fetch_all(&self.target.sql().run_epochs, &params)
                .await?;
            let mut newer = HashSet::new();
            for row in there {
                newer.insert(row.get::<Uuid>("id")?);
            }
            rows.retain(|row| !of(row, &newer));
        }
        let ids = rows.iter().filter_map(|row| uuid(row)).collect();
        self.pending = Pending {
            runs: rows,
            snapshots: Vec::new(),
            ids,
        };
        Ok(())
    }

    /// Writes the group's runs and their snapshots. Its journal is there.
    pub(super) async fn flush(&mut self) -> Result<(), BackupError> {
        let sql = Arc::clone(self.target.sql());
        let Pending {
            runs, snapshots, ..
        } = std::mem::take(&mut self.pending);
        self.insert(Section::Runs, &sql.backup_insert_runs, runs)
            .await?;
        self.insert(Section::Snapshots, &sql.backup_insert_snapshots, snapshots)
            .await
    }

    async fn insert(
        &mut self,
        section: Section,
        statement: &Arc<Statement>,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), BackupError> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            if self.meter.stopped() {
                return Err(BackupError::Stopped);
            }
            let (mut some, mut bytes) = (Vec::new(), 0);
            while some.len() < ROWS && bytes < BYTES {
                let Some(row) = rows.next() else { break };
                bytes += rows_weight(&row);
                some.push(row);
            }
            let count = some.len();
            self.target
                .write(vec![(Arc::clone(statement), some)])
                .await?;
            self.meter.passed(section, count, bytes);
        }
        Ok(())
    }
}

fn uuid(row: &[Value]) -> Option<Uuid> {
    match row.first() {
        Some(Value::Uuid(id)) => Some(*id),
        _ => None,
    }
}

/// Whether a row belongs to one of these runs.
fn of(row: &[Value], ids: &HashSet<Uuid>) -> bool {
    row.first().is_some_and(|key| has(key, ids))
}

fn has(key: &Value, ids: &HashSet<Uuid>) -> bool {
    matches!(key, Value::Uuid(id) if ids.contains(id))
}
