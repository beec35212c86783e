//! Turns many commits into one transaction: one multi-row statement a table, in an order in which
//! two flushes cannot wait for each other (runs by id, blobs by hash).
use std::time::{SystemTime, UNIX_EPOCH};

use runstone_db::{Batch, Value};

use super::work::Work;
use crate::{NewRun, RunUpdate, catalog::Catalog, journal};
use runstone_model::run::Status;

/// A blob that was written or touched within this time is not touched again. The doctor deletes
/// none that is younger than a much longer one.
const TOUCHED_US: i64 = 3600 * 1_000_000;

/// The transaction that writes `works`, which are sorted by run.
pub(super) fn batch<'a>(sql: &Catalog, works: impl Iterator<Item = &'a Work> + Clone) -> Batch {
    let mut creates = Vec::new();
    let mut labels = Vec::new();
    let mut blobs = Vec::new();
    let mut parks = Vec::new();
    let mut finishes = Vec::new();
    let mut rows = Vec::with_capacity(works.clone().map(|work| work.rows.len()).sum());
    let mut snapshots: Vec<Vec<Value>> = Vec::new();
    for work in works {
        if let Some(create) = &work.create {
            creates.push(created(work, create));
            labels.extend(labelled(work, create));
        }
        blobs.extend(&work.blobs);
        match &work.update {
            Some(update) if update.finished_at.is_some() => finishes.push(finished(work, update)),
            Some(update) => parks.push(parked(work, update)),
            None => {}
        }
        rows.extend(
            work.rows
                .iter()
                .map(|row| journal::values(work.run, work.epoch, row)),
        );
        if let Some(snapshot) = &work.snapshot {
            let run = Value::Uuid(work.run.0);
            // One statement cannot write a row twice: of a run's snapshots the last one counts.
            snapshots.pop_if(|last| last.first() == Some(&run));
            snapshots.push(vec![
                run,
                journal::int(snapshot.seq),
                size(snapshot.size),
                Value::Bytes(snapshot.body.clone()),
            ]);
        }
    }
    blobs.sort_unstable_by(|a, b| a.hash.cmp(&b.hash));
    blobs.dedup_by(|a, b| a.hash == b.hash);
    let now = if blobs.is_empty() { 0 } else { now_us() };
    let hashes: Value = blobs.iter().map(|blob| blob.hash.as_str()).collect();
    let blobs: Vec<_> = blobs
        .into_iter()
        .map(|blob| {
            vec![
                Value::Text(blob.hash.clone()),
                size(blob.size),
                Value::Int(blob.compressed.into()),
                Value::Bytes(blob.body.clone()),
                Value::Int(now),
            ]
        })
        .collect();

    let mut batch = Batch::new();
    let mut step = |statement, rows: Vec<Vec<Value>>, all: bool| {
        if !rows.is_empty() {
            let expect = all.then_some(u64::try_from(rows.len()).unwrap_or(u64::MAX));
            batch.push(statement, rows, expect);
        }
    };
    step(&sql.run_insert, creates, true);
    step(&sql.label_insert, labels, false);
    if !blobs.is_empty() {
        let stale_before = Value::Int(now.saturating_sub(TOUCHED_US));
        let touched = vec![vec![Value::Int(now), stale_before, hashes]];
        step(&sql.blob_touch, touched, false);
    }
    step(&sql.blob_insert, blobs, false);
    // Before the journal: they take the runs' locks, on which a claim passes by or waits.
    step(&sql.run_park, parks, true);
    step(&sql.run_finish, finishes, true);
    step(&sql.journal_insert, rows, true);
    step(&sql.snapshot_upsert, snapshots, false);
    batch
}

#[expect(
    clippy::disallowed_methods,
    reason = "how old a value is decides only whether the doctor may delete it; no run sees it"
)]
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.ok().map(|since| since.as_micros());
    since.and_then(|us| i64::try_from(us).ok()).unwrap_or(0)
}

fn size(bytes: usize) -> Value {
    Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn created(work: &Work, create: &NewRun) -> Vec<Value> {
    let status = if create.owner.is_some() {
        Status::Running
    } else {
        Status::Pending
    };
    vec![
        Value::Uuid(work.run.0),
        Value::Uuid(create.project.0),
        Value::Uuid(create.flow_version.0),
        status.name().into(),
        create.owner.map(|owner| owner.0).into(),
        Value::Int(work.epoch),
        Value::Int(0),
        Value::Int(create.created_at.0),
        create.deadline.map(|deadline| deadline.0).into(),
        Value::Text(create.input.clone()),
    ]
}

fn labelled<'a>(work: &'a Work, create: &'a NewRun) -> impl Iterator<Item = Vec<Value>> + 'a {
    create.labels.iter().map(|(name, value)| {
        vec![
            Value::Uuid(create.project.0),
            name.as_str().into(),
            value.as_str().into(),
            Value::Uuid(work.run.0),
        ]
    })
}

fn parked(work: &Work, update: &RunUpdate) -> Vec<Value> {
    vec![
        update.status.name().into(),
        update.output.clone().into(),
        update.error.clone().into(),
        journal::int(update.steps),
        update.wake_at.map(|at| at.0).into(),
        Value::Uuid(work.run.0),
        Value::Int(work.epoch),
    ]
}

fn finished(work: &Work, update: &RunUpdate) -> Vec<Value> {
    vec![
        update.status.name().into(),
        update.finished_at.map(|at| at.0).into(),
        update.output.clone().into(),
        update.error.clone().into(),
        journal::int(update.steps),
        update.wake_at.map(|at| at.0).into(),
        Value::Uuid(work.run.0),
        Value::Int(work.epoch),
    ]
}
