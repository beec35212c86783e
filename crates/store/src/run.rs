//! The runs' own rows: reading, listing, asking for a cancel, deleting. Claiming is in `claim`,
//! writing in `committer`.
use std::collections::HashMap;

use runstone_db::{Batch, Class, Database, Direction, Row as DbRow, Statement, Value};
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    run::Status,
    time::Timestamp,
};
use uuid::Uuid;

use crate::{
    Error, Reopen, RunFilter, RunRecord, Walk,
    catalog::{Catalog, Pages},
    cells::Cells,
    journal,
    walk::page_params,
};

pub(crate) fn record(row: DbRow) -> Result<RunRecord, Error> {
    let mut cells = Cells::new("runs", row);
    Ok(RunRecord {
        id: RunId(cells.next()?),
        project: ProjectId(cells.next()?),
        flow_version: FlowVersionId(cells.next()?),
        flow: cells.next()?,
        version: cells.next()?,
        status: {
            let name: String = cells.next()?;
            let unknown = || cells.corrupt(format!("no status is called `{name}`"));
            Status::from_name(&name).ok_or_else(unknown)?
        },
        input: cells.next()?,
        output: cells.next()?,
        error: cells.next()?,
        steps: cells.next()?,
        owner: cells.next::<Option<Uuid>>()?.map(ServerId),
        epoch: cells.next()?,
        created_at: Timestamp(cells.next()?),
        finished_at: cells.next::<Option<i64>>()?.map(Timestamp),
        deadline: cells.next::<Option<i64>>()?.map(Timestamp),
        wake_at: cells.next::<Option<i64>>()?.map(Timestamp),
        cancel_requested_at: cells.next::<Option<i64>>()?.map(Timestamp),
    })
}

/// Ids for `{{in :ids:uuid}}`.
pub(crate) fn id_list(ids: &[RunId]) -> Value {
    ids.iter().map(|id| id.0).collect()
}

/// The records of these runs, in the order asked; unknown ones are left out.
pub(crate) async fn records(
    db: &Database,
    sql: &Catalog,
    ids: &[RunId],
) -> Result<Vec<RunRecord>, Error> {
    by_ids(db, &sql.run_records, ids).await
}

async fn by_ids(
    db: &Database,
    statement: &Statement,
    ids: &[RunId],
) -> Result<Vec<RunRecord>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = db.fetch_all(statement, &[("ids", id_list(ids))]).await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let record = record(row)?;
        found.insert(record.id, record);
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// The same without their inputs and outputs.
pub(crate) async fn in_brief(
    db: &Database,
    sql: &Catalog,
    ids: &[RunId],
) -> Result<Vec<RunRecord>, Error> {
    by_ids(db, &sql.run_in_brief, ids).await
}

/// The ids of a page of runs.
pub(crate) async fn list(
    db: &Database,
    sql: &Catalog,
    filter: RunFilter,
) -> Result<Vec<RunId>, Error> {
    let mut ids = page_ids(db, sql, &filter).await?;
    // Pages of several indexes: those that come first of all of them.
    match filter.direction {
        Direction::Up => ids.sort_unstable(),
        Direction::Down => ids.sort_unstable_by(|a, b| b.cmp(a)),
    }
    ids.dedup();
    ids.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
    Ok(ids)
}

/// The ids of a page of one index.
pub(crate) async fn ids_on(
    db: &Database,
    pages: &Pages,
    walk: &Walk<RunId>,
    params: impl IntoIterator<Item = (&'static str, Value)>,
) -> Result<Vec<RunId>, Error> {
    let statement = pages.at(walk.direction, walk.beyond.is_none());
    run_ids(db.fetch_all(statement, &page_params(walk, params)).await?)
}

async fn page_ids(db: &Database, sql: &Catalog, filter: &RunFilter) -> Result<Vec<RunId>, Error> {
    let walk = Walk {
        direction: filter.direction,
        beyond: filter.beyond,
        limit: filter.limit,
    };
    let statuses = ("statuses", statuses(&filter.status));
    let mut ids = Vec::new();
    if let Some(flow) = &filter.flow {
        for project in projects(db, sql, filter.project).await? {
            let flow = ("flow", flow.as_str().into());
            let params = [statuses.clone(), ("project", project.into()), flow];
            ids.extend(ids_on(db, &sql.run_ids_by_flow, &walk, params).await?);
        }
        return Ok(ids);
    }
    let Some(project) = filter.project else {
        return ids_on(db, &sql.run_ids, &walk, [statuses]).await;
    };
    let project = ("project", Value::Uuid(project.0));
    if filter.status.is_empty() {
        return ids_on(db, &sql.run_ids_by_project, &walk, [project]).await;
    }
    for status in &filter.status {
        let params = [project.clone(), ("status", status.name().into())];
        ids.extend(ids_on(db, &sql.run_ids_by_status, &walk, params).await?);
    }
    Ok(ids)
}

/// These states, or all of them, for `{{in :statuses:text}}`.
pub(crate) fn statuses(wanted: &[Status]) -> Value {
    let wanted = if wanted.is_empty() {
        &Status::ALL[..]
    } else {
        wanted
    };
    wanted.iter().map(|status| status.name()).collect()
}

async fn projects(
    db: &Database,
    sql: &Catalog,
    only: Option<ProjectId>,
) -> Result<Vec<Uuid>, Error> {
    if let Some(project) = only {
        return Ok(vec![project.0]);
    }
    let rows = db.fetch_all(&sql.project_ids, &[]).await?;
    rows.into_iter()
        .map(|row| Cells::new("projects", row).next())
        .collect()
}

/// Rows whose first column is a run's id.
pub(crate) fn run_ids(rows: Vec<DbRow>) -> Result<Vec<RunId>, Error> {
    rows.into_iter()
        .map(|row| Cells::new("runs", row).next().map(RunId))
        .collect()
}

/// Notes that somebody wants an unfinished run cancelled.
pub(crate) async fn request_cancel(
    db: &Database,
    sql: &Catalog,
    run: RunId,
    now: Timestamp,
) -> Result<bool, Error> {
    let params = [("now", now.0.into()), ("id", run.0.into())];
    Ok(db.execute(&sql.run_request_cancel, &params).await? == 1)
}

/// When the next of the runs that wait for a time is due.
pub(crate) async fn next_wake(db: &Database, sql: &Catalog) -> Result<Option<Timestamp>, Error> {
    let params = [("limit", Value::from(1_u32))];
    let row = db.fetch_optional(&sql.run_next_wake, &params).await?;
    row.map(|row| Cells::new("runs", row).next().map(Timestamp))
        .transpose()
}

/// Opens an ended run again; see [`Store::reopen`](crate::Store::reopen).
pub(crate) async fn reopen(db: &Database, sql: &Catalog, reopen: Reopen) -> Result<bool, Error> {
    let Reopen {
        run,
        epoch,
        row,
        deadline,
    } = reopen;
    let values = vec![
        deadline.map(|at| at.0).into(),
        run.0.into(),
        Value::Int(epoch),
    ];
    let mut batch = Batch::new();
    batch.push(&sql.run_reopen, vec![values], Some(1));
    let row = journal::values(run, epoch + 1, &row);
    batch.push(&sql.journal_insert, vec![row], None);
    match db.batch(batch).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.class, Class::Expectation | Class::Unique) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Deletes those of `runs` that have ended, with their journals and snapshots; answers how many.
pub(crate) async fn delete(db: &Database, sql: &Catalog, runs: &[RunId]) -> Result<u64, Error> {
    let ids = id_list(runs);
    let mut batch = Batch::new();
    batch.push(&sql.journal_delete, vec![vec![ids.clone()]], None);
    batch.push(&sql.run_delete, vec![vec![ids.clone()]], None);
    batch.push(&sql.label_delete, vec![vec![ids]], None);
    Ok(db.batch(batch).await?.get(1).copied().unwrap_or(0))
}
