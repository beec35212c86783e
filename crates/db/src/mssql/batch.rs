//! Statements and batches on one connection, in as few round trips as possible: a batch is one
//! request that begins, executes, counts, compares and commits on the server; only one with too many
//! parameters takes several.
use super::{
    fault::{self, answered},
    request::{Conn, MOST_PARAMS, Request, Source},
    value,
};
use crate::{
    batch::{Batch, BatchStep},
    error::Error,
    row::Row,
    statement::{Statement, tsql},
    value::Value,
};
use std::fmt::Write as _;

/// So long a text is split: the server compiles it as a whole.
const LONGEST_SQL: usize = 128 << 10;

pub(super) async fn execute_one(
    conn: &mut Conn,
    statement: &Statement,
    values: &[Value],
) -> Result<u64, Error> {
    let request = Request::of(statement, Source::One(values))?;
    let counts = conn.execute(request).await;
    let counts = counts.map_err(|e| fault::of(e, statement))?;
    Ok(counted(statement, counts.iter().sum()))
}

pub(super) async fn fetch_one(
    conn: &mut Conn,
    statement: &Statement,
    values: &[Value],
) -> Result<Vec<Row>, Error> {
    let request = Request::of(statement, Source::One(values))?;
    let rows = conn.fetch(request).await;
    rows.map_err(|e| fault::of(e, statement))
}

/// Executes within an open transaction.
pub(super) async fn execute_rows(
    conn: &mut Conn,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<u64, Error> {
    let mut changed = 0;
    for request in requests(statement, rows)? {
        let counts = conn.execute(request).await;
        changed += counts
            .map_err(|e| fault::of(e, statement))?
            .iter()
            .sum::<u64>();
    }
    Ok(counted(statement, changed))
}

/// Fetches within an open transaction.
pub(super) async fn fetch_rows(
    conn: &mut Conn,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<Vec<Row>, Error> {
    let mut found = Vec::new();
    for request in requests(statement, rows)? {
        let more = conn.fetch(request).await;
        found.append(&mut more.map_err(|e| fault::of(e, statement))?);
    }
    Ok(found)
}

fn requests<'a>(statement: &Statement, rows: &'a [Vec<Value>]) -> Result<Vec<Request<'a>>, Error> {
    let mut requests: Vec<Request<'a>> = Vec::new();
    for source in sources(statement, rows) {
        let full = requests.last().is_none_or(|last| is_full(last, statement));
        if full {
            requests.push(Request::default());
        }
        if let Some(last) = requests.last_mut() {
            last.add(statement, source, ";\n")?;
        }
    }
    Ok(requests)
}

/// The executions of a statement with `rows`: those that fit into JSON together.
fn sources<'a>(statement: &Statement, rows: &'a [Vec<Value>]) -> Vec<Source<'a>> {
    let json = statement.rows() && tsql::rows_fit_json(statement.script());
    let fits = |row: &Vec<Value>| json && row.iter().all(value::fits_json);
    let mut sources = Vec::new();
    for alike in rows.chunk_by(|a, b| fits(a) == fits(b)) {
        match alike {
            [first, _, ..] if fits(first) => sources.push(Source::Many(alike)),
            alike => sources.extend(alike.iter().map(|row| Source::One(row))),
        }
    }
    sources
}

fn is_full(request: &Request<'_>, next: &Statement) -> bool {
    request.params() + next.params().len() > MOST_PARAMS || request.sql.len() > LONGEST_SQL
}

/// A SELECT counts nothing.
fn counted(statement: &Statement, changed: u64) -> u64 {
    if statement.counts() { changed } else { 0 }
}

/// The answer to a batch without any rows.
pub(super) fn nothing(batch: &Batch) -> Result<Vec<u64>, Error> {
    let steps = batch.steps.iter().enumerate();
    steps.map(|(index, step)| step.expected(index, 0)).collect()
}

pub(super) async fn run(conn: &mut Conn, batch: &Batch) -> Result<Vec<u64>, Error> {
    let mut all = Vec::new();
    for (index, step) in batch.steps.iter().enumerate() {
        let sources = sources(&step.statement, &step.rows);
        all.extend(sources.into_iter().map(|source| (index, source)));
    }
    if let [(index, source)] = all.as_slice()
        && commits_itself(&batch.steps[*index])
        && batch.steps.iter().all(certain)
    {
        return alone(conn, batch, *index, *source).await;
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (index, source) in all {
        let step = &batch.steps[index];
        let full = |last: &Part<'_>| is_full(&last.request, &step.statement);
        if parts.last().is_none_or(full) {
            parts.push(Part::default());
        }
        if let Some(last) = parts.last_mut() {
            last.add(index, step, source).map_err(|e| e.at(index))?;
        }
    }
    let mut counts = vec![0; batch.steps.len()];
    if parts.len() == 1 {
        for part in parts {
            let whole = part.whole(batch);
            part_done(conn, whole, batch, &mut counts).await?;
        }
    } else {
        conn.plain("BEGIN TRANSACTION").await?;
        for part in parts {
            let request = part.middle();
            if let Err(error) = part_done(conn, request, batch, &mut counts).await {
                // The driver's own note of the transaction may be wrong after an error.
                conn.set_clean(false);
                return Err(error);
            }
        }
        let held = held(batch, &counts);
        let end = if held.is_ok() { "COMMIT" } else { "ROLLBACK" };
        conn.plain(end).await?;
    }
    held(batch, &counts)
}

/// Whether it is one statement, which is a transaction of its own.
fn commits_itself(step: &BatchStep) -> bool {
    step.statement.script().len() == 1
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

async fn alone(
    conn: &mut Conn,
    batch: &Batch,
    index: usize,
    source: Source<'_>,
) -> Result<Vec<u64>, Error> {
    let statement = &batch.steps[index].statement;
    let request = Request::of(statement, source).map_err(|e| e.at(index))?;
    let done = conn.execute(request).await;
    let changed = done.map_err(|e| fault::of(e, statement).at(index))?;
    let mut counts = vec![0; batch.steps.len()];
    counts[index] = changed.iter().sum();
    held(batch, &counts)
}

/// Holds each step against what it expects.
fn held(batch: &Batch, counts: &[u64]) -> Result<Vec<u64>, Error> {
    let steps = batch.steps.iter().zip(counts).enumerate();
    steps
        .map(|(index, (step, count))| step.expected(index, counted(&step.statement, *count)))
        .collect()
}

/// One request's share of a batch. The server keeps which step it is at (`@step`) and how many rows
/// each has changed (`@c0`, …).
#[derive(Default)]
struct Part<'a> {
    request: Request<'a>,
    /// The steps in it, in order.
    steps: Vec<usize>,
}

impl<'a> Part<'a> {
    fn add(&mut self, index: usize, step: &BatchStep, source: Source<'a>) -> Result<(), Error> {
        if self.steps.last() != Some(&index) {
            let _ = writeln!(self.request.sql, "SET @step = {index};"); // a String takes everything
            self.steps.push(index);
        }
        let count = format!(";\nSET @c{index} = @c{index} + @@ROWCOUNT;\n");
        let behind = if step.statement.counts() {
            &count
        } else {
            ";\n"
        };
        self.request.add(&step.statement, source, behind)
    }

    /// The request that is the whole transaction.
    fn whole(self, batch: &Batch) -> Request<'a> {
        let mut wanted: Vec<String> = Vec::new();
        for index in &self.steps {
            if let Some(expected) = batch.steps[*index].expect {
                wanted.push(format!("@c{index} = {expected}"));
            }
        }
        // A step without rows changes nothing; nobody on the server knows of it.
        let absent = |(index, step): (usize, &BatchStep)| {
            !self.steps.contains(&index) && step.expect.is_some_and(|expected| expected > 0)
        };
        if batch.steps.iter().enumerate().any(absent) {
            wanted.push("1 = 0".to_owned());
        }
        let end = if wanted.is_empty() {
            "COMMIT;\n".to_owned()
        } else {
            format!("IF {} COMMIT ELSE ROLLBACK;\n", wanted.join(" AND "))
        };
        self.wrapped(
            "BEGIN TRANSACTION;\n",
            &end,
            "IF @@TRANCOUNT > 0 ROLLBACK;\n",
        )
    }

    /// The request that is a part of an open transaction.
    fn middle(self) -> Request<'a> {
        self.wrapped("", "", "")
    }

    /// An error becomes a row, so that the step is known and the connection stays in order. No
    /// NOCOUNT: servers that are not SQL Server keep it, and count nothing for the next request.
    fn wrapped(self, begin: &str, end: &str, undo: &str) -> Request<'a> {
        let mut request = self.request;
        let each = |write: &dyn Fn(usize) -> String| {
            let all: Vec<String> = self.steps.iter().map(|index| write(*index)).collect();
            all.join(", ")
        };
        let counters = each(&|index| format!("@c{index} BIGINT = 0"));
        let answers = each(&|index| format!("@c{index} AS c{index}"));
        request.sql = format!(
            "DECLARE @step INT = 0, {counters};\nBEGIN TRY\n{begin}{}{end}\
             SELECT {answers};\nEND TRY\nBEGIN CATCH\n{undo}SELECT @step AS failed_step, \
             ERROR_NUMBER() AS number, ERROR_SEVERITY() AS severity, ERROR_MESSAGE() AS message;\n\
             END CATCH",
            request.sql
        );
        request
    }
}

/// Executes a part's request and adds up what it changed.
async fn part_done(
    conn: &mut Conn,
    request: Request<'_>,
    batch: &Batch,
    counts: &mut [u64],
) -> Result<(), Error> {
    let mut rows = Vec::new();
    let done = conn.fetch_into(request, &mut rows).await;
    let Some(last) = rows.last() else {
        done?;
        return Err(Error::other("the server did not say how the batch ended"));
    };
    // In an open transaction the server adds an error of its own, that it rolled back.
    if last
        .columns()
        .first()
        .is_some_and(|name| name == "failed_step")
    {
        let at: usize = last.get("failed_step")?;
        let severity = u8::try_from(last.get::<i64>("severity")?).unwrap_or(u8::MAX);
        let said: Option<String> = last.get("message")?;
        let error = answered(last.get("number")?, severity, &said.unwrap_or_default());
        return Err(match batch.steps.get(at) {
            Some(step) => fault::of(error, &step.statement).at(at),
            None => error,
        });
    }
    done?;
    for name in last.columns() {
        let index = name
            .strip_prefix('c')
            .and_then(|digits| digits.parse::<usize>().ok());
        if let Some(count) = index.and_then(|index| counts.get_mut(index)) {
            *count += last.get::<u64>(name)?;
        }
    }
    Ok(())
}
