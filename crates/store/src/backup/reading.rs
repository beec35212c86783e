//! Everything that a backup holds, in the order of the archive, out of one snapshot of the database:
//! in pages, and only what the earlier archive does not have.
use std::{collections::HashMap, sync::Arc};

use runstone_db::{Row, Snapshot, Statement, Value};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    BackupError, Meter,
    archive::Section,
    group::Group,
    index::Index,
    pace::Pace,
    take::{Order, ended},
    whole,
};
use crate::{Error, catalog::Catalog};

/// Keys of one page.
const KEYS: u32 = 1000;
/// Rows of one page of the journal; fewer when they are large, as those with many keys are.
const JOURNAL: usize = 500;
/// Versions fetched at a time: a definition may have 8 MiB.
const VERSIONS: usize = 8;
/// Blobs fetched at a time, and their bytes.
const BLOBS: usize = 64;
const BLOB_BYTES: u64 = 4 << 20;
/// Runs fetched at a time: their inputs and outputs may be large.
const RUNS: usize = 128;
/// Rows of another table fetched at a time.
const ROWS: usize = 500;
/// Snapshots fetched at a time.
const SNAPSHOTS: usize = 32;

pub(super) struct Reading<'a> {
    snapshot: Snapshot,
    sql: &'a Catalog,
    index: Option<Index>,
    orders: mpsc::Sender<Order>,
    meter: Arc<Meter>,
    /// Of the journal's pages.
    pace: Pace,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        snapshot: Snapshot,
        sql: &'a Catalog,
        index: Option<Index>,
        orders: mpsc::Sender<Order>,
        meter: Arc<Meter>,
    ) -> Self {
        Self {
            snapshot,
            sql,
            index,
            orders,
            meter,
            pace: Pace::new(JOURNAL),
        }
    }

    pub(super) async fn everything(&mut self) -> Result<(), BackupError> {
        for section in whole::FIRST {
            self.whole(section).await?;
        }
        self.versions().await?;
        for section in whole::LATER {
            self.whole(section).await?;
        }
        self.blobs().await?;
        self.runs().await
    }

    /// Reads the rest of the earlier archive and tells the writer that all has been read.
    pub(super) async fn finish(mut self) -> Result<(), BackupError> {
        if let Some(index) = self.index.take() {
            off_thread(move || index.finish()).await?;
        }
        self.order(Order::Finish).await
    }

    async fn order(&self, order: Order) -> Result<(), BackupError> {
        let sent = self.orders.send(order).await;
        sent.map_err(|_| BackupError::Write(ended()))
    }

    async fn rows(&self, section: Section, rows: Vec<Vec<Value>>) -> Result<(), BackupError> {
        if rows.is_empty() {
            return Ok(());
        }
        self.order(Order::Rows(section, rows)).await
    }

    /// Rows of `section`, as archives have them.
    async fn fetch(
        &mut self,
        section: Section,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<Vec<Vec<Value>>, BackupError> {
        if self.meter.stopped() {
            return Err(BackupError::Stopped);
        }
        let rows = self.snapshot.fetch_all(statement, params).await?;
        let rows = rows.into_iter().map(|row| canonical(section, row));
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A table that is held whole.
    async fn whole(&mut self, section: Section) -> Result<(), BackupError> {
        let sql = self.sql;
        let Some(whole) = whole::of(section, sql) else {
            return Ok(());
        };
        let mut after = Value::Uuid(Uuid::nil());
        let mut pace = Pace::new(ROWS);
        loop {
            let params = [("id", after), ("limit", pace.limit())];
            let full = pace.rows();
            let rows = self.fetch(section, whole.page, &params).await?;
            let full = rows.len() == full;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last[0].clone();
            let second = last[1].clone();
            pace.took(&rows);
            self.rows(section, rows).await?;
            if let Some(rest) = whole.rest
                && full
            {
                // The page may end in the middle of what belongs to one key.
                self.rest(section, rest, after.clone(), second, &mut pace)
                    .await?;
            }
        }
    }

    async fn rest(
        &mut self,
        section: Section,
        statement: &Statement,
        key: Value,
        mut after: Value,
        pace: &mut Pace,
    ) -> Result<(), BackupError> {
        loop {
            let params = [
                ("id", key.clone()),
                ("after", after),
                ("limit", pace.limit()),
            ];
            let rows = self.fetch(section, statement, &params).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = last[1].clone();
            pace.took(&rows);
            self.rows(section, rows).await?;
        }
    }

    async fn versions(&mut self) -> Result<(), BackupError> {
        const KEY: Section = Section::FlowVersionIds;
        let sql = self.sql;
        let mut after = Value::Uuid(Uuid::nil());
        loop {
            let params = [("id", after), ("limit", KEYS.into())];
            let keys = self
                .fetch(KEY, &sql.backup_flow_version_ids, &params)
                .await?;
            let Some(last) = keys.last() else {
                return Ok(());
            };
            after = last[0].clone();
            let new = self.new_of(KEY, &keys).await?;
            self.rows(KEY, keys).await?;
            for slice in new.chunks(VERSIONS) {
                let ids = Value::List(slice.iter().map(|row| row[0].clone()).collect());
                let section = Section::FlowVersions;
                let statement = &sql.backup_flow_versions;
                let rows = self.fetch(section, statement, &[("ids", ids)]).await?;
                self.rows(section, rows).await?;
            }
        }
    }

    async fn blobs(&mut self) -> Result<(), BackupError> {
        const KEY: Section = Section::BlobHashes;
        let sql = self.sql;
        let mut after = Value::Text(String::new());
        loop {
            let params = [("hash", after), ("limit", KEYS.into())];
            if self.meter.stopped() {
                return Err(BackupError::Stopped);
            }
            let found = self
                .snapshot
                .fetch_all(&sql.backup_blob_sizes, &params)
                .await?;
            let mut keys = Vec::with_capacity(found.len());
            let mut sizes = HashMap::with_capacity(found.len());
            for row in found {
                let (hash, size): (String, u64) = (row.get("hash")?, row.get("size")?);
                keys.push(vec![Value::Text(hash.clone())]);
                sizes.insert(hash, size);
            }
            let Some(last) = keys.last() else {
                return Ok(());
            };
            after = last[0].clone();
            let new = self.new_of(KEY, &keys).await?;
            self.rows(KEY, keys).await?;
            for slice in by_size(new, &sizes) {
                let hashes = [("hashes", Value::List(slice))];
                let section = Section::Blobs;
                let mut rows = self.fetch(section, &sql.blob_by_hashes, &hashes).await?;
                rows.sort_by(|a, b| super::index::order(&a[0], &b[0]));
                self.rows(section, rows).await?;
            }
        }
    }

    async fn runs(&mut self) -> Result<(), BackupError> {
        const KEY: Section = Section::RunIds;
        let sql = self.sql;
        let mut after = Value::Uuid(Uuid::nil());
        let (mut ordinal, mut pace) = (0, Pace::new(RUNS));
        let mut group = Group::default();
        loop {
            let params = [("id", after), ("limit", KEYS.into())];
            let keys = self.fetch(KEY, &sql.backup_run_ids, &params).await?;
            let Some(last) = keys.last() else {
                return self.group(&mut group).await;
            };
            after = last[0].clone();
            let ordinals = (ordinal..).zip(&keys);
            let ordinals: HashMap<Uuid, u64> = ordinals
                .filter_map(|(at, row)| uuid(&row[0]).map(|id| (id, at)))
                .collect();
            ordinal += keys.len() as u64;
            let new = self.new_of(KEY, &keys).await?;
            self.rows(KEY, keys).await?;
            let mut new = new.as_slice();
            while !new.is_empty() {
                let (now, later) = new.split_at(pace.rows().min(new.len()));
                new = later;
                let ids = Value::List(now.iter().map(|row| row[0].clone()).collect());
                let rows = self
                    .fetch(Section::Runs, &sql.backup_runs, &[("ids", ids)])
                    .await?;
                pace.took(&rows);
                for row in rows {
                    let id = uuid(&row[0]).unwrap_or_default();
                    group.add(id, ordinals.get(&id).copied().unwrap_or(0), row);
                    if group.is_full() {
                        self.group(&mut group).await?;
                    }
                }
            }
        }
    }

    /// Hands a group over, with everything that belongs to it.
    async fn group(&mut self, group: &mut Group) -> Result<(), BackupError> {
        let group = std::mem::take(group);
        if group.is_empty() {
            return Ok(());
        }
        self.order(Order::Cut).await?;
        self.rows(Section::Runs, group.rows).await?;
        let sql = self.sql;
        for ids in group.ids.chunks(SNAPSHOTS) {
            let ids = [("ids", ids.iter().copied().collect::<Value>())];
            let section = Section::Snapshots;
            let mut rows = self.fetch(section, &sql.snapshot_by_runs, &ids).await?;
            rows.sort_by(|a, b| super::index::order(&a[0], &b[0]));
            self.rows(section, rows).await?;
        }
        for (first, last) in group.ranges {
            self.journal(first, last, &group.ids).await?;
        }
        let ids = [("ids", group.ids.iter().copied().collect::<Value>())];
        let section = Section::RunLabels;
        let rows = self.fetch(section, &sql.backup_run_labels, &ids).await?;
        self.rows(section, rows).await
    }

    /// The journals of the runs from `first` to `last`. Rows of runs that do not exist may lie
    /// between them: they are left out.
    async fn journal(&mut self, first: Uuid, last: Uuid, ids: &[Uuid]) -> Result<(), BackupError> {
        const SECTION: Section = Section::Journal;
        let sql = self.sql;
        let mut from = first;
        loop {
            let params = [
                ("run", from.into()),
                ("run_id", last.into()),
                ("limit", self.pace.limit()),
            ];
            let rows = self.fetch(SECTION, &sql.backup_journal, &params).await?;
            let full = rows.len() >= self.pace.rows();
            self.pace.took(&rows);
            let end = rows.last().map(|row| (row[0].clone(), row[1].clone()));
            self.journal_of(rows, ids).await?;
            let Some((run, seq)) = end.filter(|_| full) else {
                return Ok(());
            };
            // The page may end in the middle of a run: the rest of it, then what comes after.
            self.rest_of(run.clone(), seq, ids).await?;
            let next = uuid(&run).and_then(|run| run.as_u128().checked_add(1));
            match next.map(Uuid::from_u128).filter(|next| *next <= last) {
                Some(next) => from = next,
                None => return Ok(()),
            }
        }
    }

    async fn rest_of(
        &mut self,
        run: Value,
        mut seq: Value,
        ids: &[Uuid],
    ) -> Result<(), BackupError> {
        let sql = self.sql;
        loop {
            let params = [
                ("run", run.clone()),
                ("after", seq),
                ("limit", self.pace.limit()),
            ];
            let rows = self
                .fetch(Section::Journal, &sql.journal_page, &params)
                .await?;
            let full = rows.len() >= self.pace.rows();
            self.pace.took(&rows);
            let end = rows.last().map(|row| row[1].clone());
            self.journal_of(rows, ids).await?;
            match end.filter(|_| full) {
                Some(end) => seq = end,
                None => return Ok(()),
            }
        }
    }

    async fn journal_of(&self, mut rows: Vec<Vec<Value>>, ids: &[Uuid]) -> Result<(), BackupError> {
        rows.retain(|row| uuid(&row[0]).is_some_and(|run| ids.binary_search(&run).is_ok()));
        self.rows(Section::Journal, rows).await
    }

    /// Those of `keys` that the earlier archive does not have, or not in their last state.
    async fn new_of(
        &mut self,
        section: Section,
        keys: &[Vec<Value>],
    ) -> Result<Vec<Vec<Value>>, BackupError> {
        let Some(mut index) = self.index.take() else {
            return Ok(keys.to_vec());
        };
        let keys = keys.to_vec();
        let (index, new) = off_thread(move || {
            let mut new = Vec::new();
            for key in keys {
                if !index.has(section, &key[0], key.get(1))? {
                    new.push(key);
                }
            }
            Ok((index, new))
        })
        .await?;
        self.index = Some(index);
        Ok(new)
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(BackupError::interrupted()))
}

fn uuid(value: &Value) -> Option<Uuid> {
    match value {
        Value::Uuid(id) => Some(*id),
        _ => None,
    }
}

/// Hashes in portions of a bounded number of bytes.
fn by_size(new: Vec<Vec<Value>>, sizes: &HashMap<String, u64>) -> Vec<Vec<Value>> {
    let mut slices: Vec<Vec<Value>> = Vec::new();
    let mut bytes = u64::MAX;
    for hash in new.into_iter().flatten() {
        let size = match &hash {
            Value::Text(hash) => sizes.get(hash).copied().unwrap_or(0),
            _ => 0,
        };
        bytes = bytes.saturating_add(size);
        match slices.last_mut() {
            Some(slice) if bytes <= BLOB_BYTES && slice.len() < BLOBS => slice.push(hash),
            _ => {
                slices.push(vec![hash]);
                bytes = size;
            }
        }
    }
    slices
}

/// A row of the database as archives have it.
fn canonical(section: Section, row: Row) -> Result<Vec<Value>, Error> {
    let columns = section.columns().iter();
    let values = columns.zip(row.into_values());
    let row = values.map(|(column, value)| column.canonical(value));
    row.collect::<Result<_, _>>()
        .map_err(|message| Error::Corrupt {
            place: section.name().to_owned(),
            message,
        })
}
