//! Reads many runs at once with everything needed to go on: a few statements, however many the
//! runs. Never locks: rows are read before snapshots, so that a snapshot taken in between can only
//! make rows superfluous, never leave a gap.
use std::collections::{BTreeSet, HashMap};

use runstone_db::Database;
use runstone_model::ids::RunId;

use crate::{
    Blob, Error, LoadedRun, Snapshot, StoredRow, blob, catalog::Catalog, cells::Cells, journal, run,
};

/// The runs, in the order asked; unknown ones are left out.
pub(crate) async fn load(
    db: &Database,
    sql: &Catalog,
    runs: &[RunId],
) -> Result<Vec<LoadedRun>, Error> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let ids = [("ids", run::id_list(runs))];
    let mut rows: HashMap<RunId, Vec<StoredRow>> = HashMap::new();
    for row in db.fetch_all(&sql.journal_since_snapshot, &ids).await? {
        let (run, row) = journal::read(row)?;
        rows.entry(run).or_default().push(row);
    }
    let mut snapshots = snapshots(db, sql, runs).await?;
    let records = run::records(db, sql, runs).await?;

    let mut loaded: Vec<LoadedRun> = records
        .into_iter()
        .map(|record| {
            let snapshot = snapshots.remove(&record.id);
            let mut rows = rows.remove(&record.id).unwrap_or_default();
            if let Some(snapshot) = &snapshot {
                rows.retain(|row| row.row.seq > snapshot.seq);
            }
            LoadedRun {
                record,
                snapshot,
                rows,
                blobs: Vec::new(),
            }
        })
        .collect();
    attach_blobs(db, sql, &mut loaded).await?;
    Ok(loaded)
}

/// A snapshot of `snapshot.by_runs` or `doctor.snapshots`, unpacked.
pub(crate) fn snapshot(row: runstone_db::Row) -> Result<(RunId, Snapshot), Error> {
    let mut cells = Cells::new("snapshots", row);
    let run = RunId(cells.next()?);
    let seq = cells.next()?;
    let size = cells.next()?;
    let packed: Vec<u8> = cells.next()?;
    let bytes = blob::decompress(&format!("the snapshot of run {run}"), &packed, size)?;
    let body = String::from_utf8(bytes).map_err(|error| cells.corrupt(error.to_string()))?;
    Ok((run, Snapshot { seq, body }))
}

async fn snapshots(
    db: &Database,
    sql: &Catalog,
    runs: &[RunId],
) -> Result<HashMap<RunId, Snapshot>, Error> {
    let rows = db
        .fetch_all(&sql.snapshot_by_runs, &[("ids", run::id_list(runs))])
        .await?;
    // Thousands of snapshots take a while to unpack.
    let many = if rows.len() > 64 { usize::MAX } else { 0 };
    blob::off_thread(many, || rows.into_iter().map(snapshot).collect()).await
}

async fn attach_blobs(db: &Database, sql: &Catalog, loaded: &mut [LoadedRun]) -> Result<(), Error> {
    let mut wanted = Vec::with_capacity(loaded.len());
    let mut all = BTreeSet::new();
    for run in &*loaded {
        let mut hashes = BTreeSet::new();
        if let Some(snapshot) = &run.snapshot {
            blob::collect_hashes(&snapshot.body, &mut hashes);
        }
        for row in &run.rows {
            blob::collect_hashes(&row.row.body, &mut hashes);
        }
        all.extend(hashes.iter().cloned());
        wanted.push(hashes);
    }
    let found: HashMap<String, Blob> = blob::fetch(db, sql, all)
        .await?
        .into_iter()
        .map(|blob| (blob.hash.clone(), blob))
        .collect();
    for (run, hashes) in loaded.iter_mut().zip(wanted) {
        run.blobs = hashes
            .iter()
            .filter_map(|hash| found.get(hash).cloned())
            .collect();
    }
    Ok(())
}
