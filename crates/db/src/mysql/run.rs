//! Statements and batches on one connection, in as few round trips as possible. A single call is a
//! transaction of its own; of several, the small ones travel as one text with BEGIN and COMMIT, the
//! large ones as prepared statements in between.
use super::{
    call::{Call, call, calls, size, slice, text},
    connect::Session,
    fault::{classed, too_large, without_text},
    value::cell,
};
use crate::{
    batch::{Batch, BatchStep},
    error::Error,
    row::Row,
    statement::Statement,
    value::Value,
};
use mysql_async::{Params, Row as Native, prelude::Queryable as _};
use std::sync::Arc;

/// Bytes of one text; every server takes that much.
const TEXT: usize = 1 << 20;
/// So many rows of a row source travel in a text; more are worth a round trip.
const FEW: usize = 8;

/// Executes within an open transaction, or as one of its own when it is a single call.
pub(super) async fn execute(
    conn: &mut Session,
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
    conn: &mut Session,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<Vec<Row>, Error> {
    let of = |error: Error| error.of(statement.name_arc());
    let mut found = Vec::new();
    for call in calls(statement, rows).map_err(|why| of(Error::other(why)))? {
        fits(conn, &call).map_err(of)?;
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

/// The server would hang up on a packet that is too large, and say why only sometimes.
fn fits(conn: &Session, call: &Call) -> Result<(), Error> {
    let values: u64 = call.params.iter().map(|v| v.bin_len() + 4).sum();
    let bytes = values + u64::try_from(call.sql.len()).unwrap_or(u64::MAX);
    if bytes < conn.packet {
        Ok(())
    } else {
        Err(too_large())
    }
}

async fn send(conn: &mut Session, statement: &Statement, call: Call) -> Result<u64, Error> {
    fits(conn, &call)?;
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

pub(super) async fn batch(conn: &mut Session, batch: &Batch) -> Result<Vec<u64>, Error> {
    // Knowing before the commit whether every expectation holds takes a round trip more.
    let settled = batch.steps.iter().all(certain);
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
    let mut changed = Vec::new();
    let mut flights = flights(batch, settled)?;
    if let (Some(rests), true) = (&conn.rests, flights.len() > 1 || !settled) {
        bound(&mut flights, rests, settled);
    }
    for flight in flights {
        if let Err(error) = fly(conn, batch, flight, &mut changed).await {
            end(conn, false).await?;
            return Err(error);
        }
    }
    let counts = counts(batch, &changed);
    if !settled {
        end(conn, counts.is_ok()).await?;
    }
    counts
}

/// Bounds the rests between flights. What travels as one text never rests.
fn bound(flights: &mut [Flight], [within, after]: &[String; 2], settled: bool) {
    if let Some(Flight::Text(first)) = flights.first_mut() {
        first.sql.insert_str(0, &format!("{within}; "));
        first.statements.insert(0, (None, 0));
    }
    if let (Some(Flight::Text(last)), true) = (flights.last_mut(), settled) {
        last.push(None, 0).push_str(after);
    }
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

/// What goes to the server in one round trip.
enum Flight {
    /// Several statements in one text.
    Text(Text),
    /// A prepared statement of the step of that index.
    Call(usize, Call),
}

#[derive(Default)]
struct Text {
    sql: String,
    /// For each statement the index of its step, if it has one, and how many rows it stands for.
    statements: Vec<(Option<usize>, usize)>,
}

impl Text {
    fn push(&mut self, step: Option<usize>, rows: usize) -> &mut String {
        if !self.statements.is_empty() {
            self.sql.push_str("; ");
        }
        self.statements.push((step, rows));
        &mut self.sql
    }
}

/// A row in a text costs the server twice what it costs in a prepared statement, and less than a
/// round trip of its own: many rows are prepared, what is left over travels with the commit.
fn flights(batch: &Batch, settled: bool) -> Result<Vec<Flight>, Error> {
    let mut flights = Vec::new();
    let mut words = Text::default();
    words.push(None, 0).push_str("BEGIN");
    for (index, step) in batch.steps.iter().enumerate() {
        let statement = &step.statement;
        let mut rest = step.rows.as_slice();
        while !rest.is_empty() {
            let few = if statement.rows() {
                FEW.min(rest.len())
            } else {
                1
            };
            let bytes: usize = rest[..few].iter().flatten().map(size).sum();
            // Bytes are written as hex, and quotes twice.
            let fits = words.sql.len() + 2 * bytes < TEXT && statement.counts();
            if fits && (!statement.rows() || few == rest.len()) {
                text(statement, &rest[..few], words.push(Some(index), few))
                    .map_err(|why| at(batch, index, why))?;
                rest = &rest[few..];
                continue;
            }
            if !words.statements.is_empty() {
                flights.push(Flight::Text(std::mem::take(&mut words)));
            }
            let (now, later) = rest.split_at(slice(statement, rest));
            let call = call(statement, now).map_err(|why| at(batch, index, why))?;
            flights.push(Flight::Call(index, call));
            rest = later;
        }
    }
    if settled {
        words.push(None, 0).push_str("COMMIT");
    }
    if !words.statements.is_empty() {
        flights.push(Flight::Text(words));
    }
    Ok(flights)
}

async fn fly(
    conn: &mut Session,
    batch: &Batch,
    flight: Flight,
    changed: &mut Vec<(usize, u64)>,
) -> Result<(), Error> {
    let words = match flight {
        Flight::Text(words) => words,
        Flight::Call(index, call) => {
            let count = send(conn, &batch.steps[index].statement, call).await;
            changed.push((index, count.map_err(|error| placed(batch, index, error))?));
            return Ok(());
        }
    };
    let classed = |step: Option<usize>, error| {
        let error = without_text(classed(&error));
        match step {
            Some(index) => placed(batch, index, error),
            None => error,
        }
    };
    let first = words.statements.first().and_then(|(step, _)| *step);
    let result = conn.query_iter(words.sql).await;
    let mut result = result.map_err(|error| classed(first, error))?;
    for (at, (step, rows)) in words.statements.iter().enumerate() {
        // An error that stands in the place of this answer comes when it is taken.
        let answer = (result.affected_rows(), result.info().into_owned());
        let more = !result.is_empty();
        let taken = result.next().await;
        taken.map_err(|error| classed(*step, error))?;
        if let Some(index) = step {
            let statement = &batch.steps[*index].statement;
            changed.push((*index, counted(statement, *rows, answer.0, &answer.1)));
        }
        if !more && at + 1 < words.statements.len() {
            return Err(Error::other("the server answered less than it was asked"));
        }
    }
    result
        .drop_result()
        .await
        .map_err(|error| classed(None, error))
}

/// Begins a transaction in which nobody may rest for long.
pub(super) async fn begin(conn: &mut Session) -> Result<(), Error> {
    match conn.rests.clone() {
        Some(rests) => control(conn, &format!("{}; BEGIN", rests[0])).await,
        None => control(conn, "BEGIN").await,
    }
}

/// Commits, or takes everything back.
pub(super) async fn end(conn: &mut Session, commit: bool) -> Result<(), Error> {
    let sql = if commit { "COMMIT" } else { "ROLLBACK" };
    match conn.rests.clone() {
        Some(rests) => control(conn, &format!("{sql}; {}", rests[1])).await,
        None => control(conn, sql).await,
    }
}

pub(super) async fn control(conn: &mut Session, sql: &str) -> Result<(), Error> {
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
