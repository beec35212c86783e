//! Journal rows as they are written and read. How they become durable is the committer's business.
use std::collections::{BTreeSet, HashMap};

use runstone_db::{Database, Row as DbRow, Value};
use runstone_model::{ids::RunId, time::Timestamp};

use crate::{Error, Row, StoredRow, blob, catalog::Catalog, cells::Cells};

/// An unsigned number as SQL has it.
pub(crate) fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The values of `journal.insert`.
pub(crate) fn values(run: RunId, epoch: i64, row: &Row) -> Vec<Value> {
    vec![
        Value::Uuid(run.0),
        int(row.seq),
        Value::Int(epoch),
        Value::Int(row.kind.into()),
        row.node.clone().into(),
        Value::Int(row.visit.into()),
        row.item.into(),
        Value::Int(row.attempt.into()),
        Value::Int(row.started_at.0),
        int(row.duration_us),
        Value::Text(row.body.clone()),
    ]
}

/// A row of `journal.page` or `journal.since_snapshot`, with its run.
pub(crate) fn read(row: DbRow) -> Result<(RunId, StoredRow), Error> {
    let mut cells = Cells::new("journal", row);
    let run = RunId(cells.next()?);
    let seq = cells.next()?;
    let epoch = cells.next()?;
    let row = Row {
        seq,
        kind: cells.next()?,
        node: cells.next()?,
        visit: cells.next()?,
        item: cells.next()?,
        attempt: cells.next()?,
        started_at: Timestamp(cells.next()?),
        duration_us: cells.next()?,
        body: cells.next()?,
    };
    Ok((run, StoredRow { row, epoch }))
}

/// Rows of a run with `seq > after`, in order, at most `limit`; references to blobs stay.
pub(crate) async fn page(
    db: &Database,
    sql: &Catalog,
    run: RunId,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredRow>, Error> {
    let params = [
        ("run", run.0.into()),
        ("after", int(after)),
        ("limit", limit.into()),
    ];
    let rows = db.fetch_all(&sql.journal_page, &params).await?;
    rows.into_iter()
        .map(|row| read(row).map(|(_, row)| row))
        .collect()
}

/// Fills the values of blobs into the bodies that refer to them.
pub(crate) async fn resolve(
    db: &Database,
    sql: &Catalog,
    rows: &mut [StoredRow],
) -> Result<(), Error> {
    let mut hashes = BTreeSet::new();
    for row in &*rows {
        blob::collect_hashes(&row.row.body, &mut hashes);
    }
    if hashes.is_empty() {
        return Ok(());
    }
    let blobs: HashMap<_, _> = blob::fetch(db, sql, hashes)
        .await?
        .into_iter()
        .map(|blob| (blob.hash, blob.bytes))
        .collect();
    for row in rows {
        row.row.body = blob::resolve(&row.row.body, &blobs)?;
    }
    Ok(())
}
