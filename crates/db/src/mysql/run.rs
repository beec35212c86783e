//! Statements and batches on one connection, in as few round trips as possible. A single call is a
//! transaction of its own; several travel as one text with BEGIN and COMMIT, and when that is too
//! large, one prepared statement after the other.
use super::{
    call::{Call, calls, size, text},
    fault::{classed, without_text},
    value::cell,
};
use crate::{
    batch::{Batch, BatchStep},
    error::Error,
    row::Row,
    statement::Statement,
    value::Value,
};
use mysql_async::{Conn, Params, Row as Native, prelude::Queryable as _};
use std::sync::Arc;

/// Bytes of a batch that travels as one text; every server takes that much.
const TEXT: usize = 4 << 20;

/// Executes within an open transaction, or as one of its own when it is a single call.
pub(super) async fn execute(
    conn: &mut Conn,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<u64, Error> {
    let of = |error: Error| error.of(statement.name_arc());
    let mut changed = 0;
    for call in calls(statement, rows).map_err(|why| of(Error::other(why)))? {
        changed += send(conn, statement, call).await.map_err(of)?;
    }
    Ok(changed)
}

/// Fetches all rows of the result, for each of `rows`.
pub(super) async fn fetch(
    conn: &mut Conn,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<Vec<Row>, Error> {
    let of = |error: Error| error.of(statement.name_arc());
    let mut found = Vec::new();
    for call in calls(statement, rows).map_err(|why| of(Error::other(why)))? {
        let got: Vec<Native> = conn
            .exec(call.sql, Params::Positional(call.params))
            .await
            .map_err(|error| of(classed(&error)))?;
        read(got, &mut found).map_err(of)?;
    }
    Ok(found)
}

fn read(got: Vec<Native>, found: &mut Vec<Row>) -> Result<(), Error> {
    let Some(first) = got.first() else {
        return Ok(());
    };
    let columns = first.columns();
    let names: Arc<[String]> = columns
        .iter()
        .map(|column| column.name_str().into_owned())
        .collect();
    found.reserve(got.len());
    for row in got {
        let mut values = Vec::with_capacity(names.len());
        for (value, column) in row.unwrap().into_iter().zip(columns.iter()) {
            values.push(cell(value, column).map_err(|why| {
                Error::other(format!("the column `{}`: {why}", column.name_str()))
            })?);
        }
        found.push(Row::new(Arc::clone(&names), values));
    }
    Ok(())
}

async fn send(conn: &mut Conn, statement: &Statement, call: Call) -> Result<u64, Error> {
    conn.exec_drop(call.sql, Params::Positional(call.params))
        .await
        .map_err(|error| classed(&error))?;
    Ok(counted(
        statement,
        call.rows,
        conn.affected_rows(),
        &conn.info(),
    ))
}

/// How many rows a call changed, as every database counts: an UPDATE those that it found, an
/// upsert each of its rows, an insert-or-nothing those that are new.
fn counted(statement: &Statement, rows: usize, affected: u64, info: &str) -> u64 {
    if !statement.counts() {
        return 0;
    }
    let said = |name: &str| -> Option<u64> {
        let (_, rest) = info.split_once(name)?;
        rest.split_whitespace().next()?.parse().ok()
    };
    if let Some(matched) = said("Rows matched:") {
        return matched;
    }
    if statement.upserts() {
        return said("Records:").unwrap_or(u64::try_from(rows).unwrap_or(u64::MAX));
    }
    // A row that was there and was changed counts twice; a single one comes without the words.
    match said("Duplicates:") {
        Some(changed) => affected.saturating_sub(changed),
        None if statement.inserts_on_conflict() => affected.min(1),
        None => affected,
    }
}

/// The answer to a batch without any rows.
pub(super) fn nothing(batch: &Batch) -> Result<Vec<u64>, Error> {
    counts(batch, &[])
}

pub(super) async fn batch(conn: &mut Conn, batch: &Batch) -> Result<Vec<u64>, Error> {
    // Knowing before the commit whether every expectation holds takes a round trip more.
    let settled = batch.steps.iter().all(certain);
    let mut all: Vec<(usize, Call)> = Vec::new();
    let mut bytes = 0;
    for step in &batch.steps {
        bytes += step.rows.iter().flatten().map(size).sum::<usize>();
    }
    if let (Some((index, only)), true) = (single(batch), settled) {
        let mut calls = calls(&only.statement, &only.rows).map_err(|why| at(batch, index, why))?;
        if calls.len() == 1
            && let Some(call) = calls.pop()
        {
            let changed = send(conn, &only.statement, call).await;
            let changed = changed.map_err(|error| placed(batch, index, error))?;
            return counts(batch, &[(index, changed)]);
        }
    }
    if bytes < TEXT && batch.steps.iter().all(|step| step.statement.counts()) {
        return in_one_text(conn, batch, settled).await;
    }
    for (index, step) in batch.steps.iter().enumerate() {
        let calls = calls(&step.statement, &step.rows).map_err(|why| at(batch, index, why))?;
        all.extend(calls.into_iter().map(|call| (index, call)));
    }
    control(conn, "BEGIN").await?;
    let mut changed = Vec::with_capacity(all.len());
    for (index, call) in all {
        match send(conn, &batch.steps[index].statement, call).await {
            Ok(count) => changed.push((index, count)),
            Err(error) => {
                control(conn, "ROLLBACK").await?;
                return Err(placed(batch, index, error));
            }
        }
    }
    end(conn, counts(batch, &changed)).await
}

/// The only step with rows.
fn single(batch: &Batch) -> Option<(usize, &BatchStep)> {
    let mut busy = batch
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| !step.rows.is_empty());
    busy.next().filter(|_| busy.next().is_none())
}

/// Whether the step cannot change another number of rows than it expects.
fn certain(step: &BatchStep) -> bool {
    match step.expect {
        None => true,
        Some(expected) => {
            step.statement.inserts_all() && u64::try_from(step.rows.len()) == Ok(expected)
        }
    }
}

async fn in_one_text(conn: &mut Conn, batch: &Batch, settled: bool) -> Result<Vec<u64>, Error> {
    let mut sql = "BEGIN".to_owned();
    // Which step each text belongs to and for how many rows it stands.
    let mut texts: Vec<(usize, usize)> = Vec::new();
    for (index, step) in batch.steps.iter().enumerate() {
        let each = if step.statement.rows() {
            step.rows.len().max(1)
        } else {
            1
        };
        for rows in step.rows.chunks(each) {
            sql.push_str("; ");
            text(&step.statement, rows, &mut sql).map_err(|why| at(batch, index, why))?;
            texts.push((index, rows.len()));
        }
    }
    if settled {
        sql.push_str("; COMMIT");
    }
    let mut changed = Vec::with_capacity(texts.len());
    if let Err(error) = answers(conn, sql, batch, &texts, &mut changed).await {
        // What failed is the statement whose answer is missing; the server went no further.
        control(conn, "ROLLBACK").await?;
        return Err(match texts.get(changed.len()) {
            Some((index, _)) => placed(batch, *index, error),
            None => error,
        });
    }
    let counts = counts(batch, &changed);
    if settled {
        counts
    } else {
        end(conn, counts).await
    }
}

async fn answers(
    conn: &mut Conn,
    sql: String,
    batch: &Batch,
    texts: &[(usize, usize)],
    changed: &mut Vec<(usize, u64)>,
) -> Result<(), Error> {
    let classed = |error| without_text(classed(&error));
    let mut result = conn.query_iter(sql).await.map_err(classed)?;
    // The answer to BEGIN.
    let mut more = !result.is_empty();
    result.next().await.map_err(classed)?;
    for (index, rows) in texts {
        if !more {
            // An error stands in the place of the answer.
            result.next().await.map_err(classed)?;
            return Err(Error::other("the server answered less than it was asked"));
        }
        let count = counted(
            &batch.steps[*index].statement,
            *rows,
            result.affected_rows(),
            &result.info(),
        );
        more = !result.is_empty();
        result.next().await.map_err(classed)?;
        changed.push((*index, count));
    }
    result.drop_result().await.map_err(classed)
}

/// Commits when all is well, else takes everything back.
async fn end(conn: &mut Conn, counts: Result<Vec<u64>, Error>) -> Result<Vec<u64>, Error> {
    control(conn, if counts.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    counts
}

pub(super) async fn control(conn: &mut Conn, sql: &str) -> Result<(), Error> {
    conn.query_drop(sql).await.map_err(|error| classed(&error))
}

/// Sums up and holds each step against what it expects.
fn counts(batch: &Batch, changed: &[(usize, u64)]) -> Result<Vec<u64>, Error> {
    let mut counts = vec![0; batch.steps.len()];
    for (step, n) in changed {
        counts[*step] += n;
    }
    for ((index, step), count) in batch.steps.iter().enumerate().zip(&counts) {
        step.expected(index, *count)?;
    }
    Ok(counts)
}

fn at(batch: &Batch, step: usize, why: String) -> Error {
    placed(batch, step, Error::other(why))
}

fn placed(batch: &Batch, step: usize, error: Error) -> Error {
    error.of(batch.steps[step].statement.name_arc()).at(step)
}
