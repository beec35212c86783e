//! Statements and batches on one connection, in as few round trips as possible: one when the
//! batch is a single execution, one when BEGIN, steps and COMMIT can be sent together, two when
//! a step's expectation must be looked at before the commit.
use super::{
    fault::classed,
    value::{Cell, Column},
};
use crate::{
    batch::{Batch, BatchStep},
    error::Error,
    row::Row,
    statement::Statement,
    value::Value,
};
use deadpool_postgres::ClientWrapper;
use futures::{
    TryStreamExt,
    future::{BoxFuture, join_all},
};
use std::sync::Arc;
use tokio_postgres::Statement as Prepared;

/// So many executions are sent before their answers are awaited.
const PIPELINE: usize = 256;

type Answer = Result<u64, tokio_postgres::Error>;

/// One message to the server.
struct Execution<'a> {
    step: usize,
    prepared: Prepared,
    rows: &'a [Vec<Value>],
    as_arrays: bool,
}

impl Execution<'_> {
    async fn send(&self, client: &ClientWrapper) -> Answer {
        if self.as_arrays {
            let columns: Vec<Column<'_>> = (0..self.prepared.params().len())
                .map(|index| Column {
                    rows: self.rows,
                    index,
                })
                .collect();
            client.execute_raw(&self.prepared, &columns).await
        } else {
            let values = self.rows.first().map_or(&[][..], Vec::as_slice);
            client.execute_raw(&self.prepared, values).await
        }
    }
}

pub(super) async fn execute_one(
    client: &ClientWrapper,
    statement: &Statement,
    values: &[Value],
) -> Result<u64, Error> {
    let run = async {
        let prepared = client.prepare_cached(statement.sql_one_row()).await?;
        client.execute_raw(&prepared, values).await
    };
    run.await
        .map_err(|e| classed(&e).of(statement.name_arc()))
        .map(|n| counted(statement, n))
}

pub(super) async fn fetch_one(
    client: &ClientWrapper,
    statement: &Statement,
    values: &[Value],
) -> Result<Vec<Row>, Error> {
    let run = async {
        let prepared = client.prepare_cached(statement.sql_one_row()).await?;
        fetched(client, &prepared, values).await
    };
    run.await.map_err(|e| classed(&e).of(statement.name_arc()))
}

/// Executes within an open transaction.
pub(super) async fn execute_rows(
    client: &ClientWrapper,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<u64, Error> {
    let fault = |e: tokio_postgres::Error| classed(&e).of(statement.name_arc());
    let executions = executions(client, 0, statement, rows)
        .await
        .map_err(fault)?;
    let mut changed = 0;
    for chunk in executions.chunks(PIPELINE) {
        for answer in join_all(chunk.iter().map(|execution| execution.send(client))).await {
            changed += answer.map_err(fault)?;
        }
    }
    Ok(counted(statement, changed))
}

/// Fetches within an open transaction.
pub(super) async fn fetch_rows(
    client: &ClientWrapper,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<Vec<Row>, Error> {
    let run = async {
        if statement.rows() && rows.len() > 1 {
            let prepared = client.prepare_cached(statement.sql()).await?;
            let columns: Vec<Column<'_>> = (0..prepared.params().len())
                .map(|index| Column { rows, index })
                .collect();
            return fetched(client, &prepared, &columns).await;
        }
        let prepared = client.prepare_cached(statement.sql_one_row()).await?;
        let all = join_all(rows.iter().map(|values| fetched(client, &prepared, values))).await;
        let mut found = Vec::new();
        for answer in all {
            found.append(&mut answer?);
        }
        Ok(found)
    };
    run.await
        .map_err(|e: tokio_postgres::Error| classed(&e).of(statement.name_arc()))
}

async fn fetched<'a, P>(
    client: &ClientWrapper,
    prepared: &Prepared,
    params: &'a [P],
) -> Result<Vec<Row>, tokio_postgres::Error>
where
    &'a P: tokio_postgres::types::BorrowToSql,
{
    let columns: Arc<[String]> = prepared
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let stream = client.query_raw(prepared, params).await?;
    let mut stream = std::pin::pin!(stream);
    let mut rows = Vec::new();
    while let Some(row) = stream.try_next().await? {
        let mut values = Vec::with_capacity(columns.len());
        for index in 0..columns.len() {
            values.push(row.try_get::<_, Cell>(index)?.0);
        }
        rows.push(Row::new(Arc::clone(&columns), values));
    }
    Ok(rows)
}

/// The answer to a batch without any rows.
pub(super) fn nothing(batch: &Batch) -> Result<Vec<u64>, Error> {
    batch
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| step.expected(index, 0))
        .collect()
}

pub(super) async fn run(client: &ClientWrapper, batch: &Batch) -> Result<Vec<u64>, Error> {
    let mut all = Vec::new();
    for (index, step) in batch.steps.iter().enumerate() {
        let more = executions(client, index, &step.statement, &step.rows).await;
        all.append(&mut more.map_err(|e| at_step(&e, batch, index))?);
    }
    // Knowing before the commit whether every expectation holds takes a round trip more.
    let settled = batch.steps.iter().all(certain);
    match all.as_slice() {
        [only] if settled => {
            let changed = only
                .send(client)
                .await
                .map_err(|e| at_step(&e, batch, only.step))?;
            counts(batch, &[(only.step, changed)])
        }
        _ => transaction(client, batch, &all, settled).await,
    }
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

async fn executions<'a>(
    client: &ClientWrapper,
    step: usize,
    statement: &Statement,
    rows: &'a [Vec<Value>],
) -> Result<Vec<Execution<'a>>, tokio_postgres::Error> {
    Ok(match rows {
        [] => Vec::new(),
        [_, _, ..] if statement.rows() => {
            let prepared = client.prepare_cached(statement.sql()).await?;
            vec![Execution {
                step,
                prepared,
                rows,
                as_arrays: true,
            }]
        }
        rows => {
            let prepared = client.prepare_cached(statement.sql_one_row()).await?;
            rows.chunks(1)
                .map(|rows| Execution {
                    step,
                    prepared: prepared.clone(),
                    rows,
                    as_arrays: false,
                })
                .collect()
        }
    })
}

async fn transaction(
    client: &ClientWrapper,
    batch: &Batch,
    all: &[Execution<'_>],
    settled: bool,
) -> Result<Vec<u64>, Error> {
    let mut changed = Vec::with_capacity(all.len());
    let flights = all.chunks(PIPELINE).count();
    for (flight, chunk) in all.chunks(PIPELINE).enumerate() {
        let last = flight + 1 == flights;
        let mut sent: Vec<BoxFuture<'_, Answer>> = Vec::with_capacity(chunk.len() + 2);
        if flight == 0 {
            sent.push(Box::pin(control(client, "BEGIN")));
        }
        sent.extend(
            chunk
                .iter()
                .map(|one| Box::pin(one.send(client)) as BoxFuture<'_, _>),
        );
        if last && settled {
            // After a failed step the server takes it for a ROLLBACK.
            sent.push(Box::pin(control(client, "COMMIT")));
        }
        let answers = join_all(sent).await;
        let steps = (flight == 0).then_some(None).into_iter().chain(
            chunk
                .iter()
                .map(|one| Some(one.step))
                .chain(std::iter::repeat(None)),
        );
        for (step, answer) in steps.zip(answers) {
            match (step, answer) {
                (Some(step), Ok(n)) => changed.push((step, n)),
                (None, Ok(_)) => {}
                (step, Err(error)) => {
                    if !(last && settled) {
                        control(client, "ROLLBACK").await.map_err(|e| classed(&e))?;
                    }
                    return Err(match step {
                        Some(step) => at_step(&error, batch, step),
                        None => classed(&error),
                    });
                }
            }
        }
    }
    if settled {
        return counts(batch, &changed);
    }
    let counts = counts(batch, &changed);
    let end = if counts.is_ok() { "COMMIT" } else { "ROLLBACK" };
    control(client, end).await.map_err(|e| classed(&e))?;
    counts
}

/// Sums up and holds each step against what it expects.
fn counts(batch: &Batch, changed: &[(usize, u64)]) -> Result<Vec<u64>, Error> {
    let mut counts = vec![0; batch.steps.len()];
    for (step, n) in changed {
        counts[*step] += n;
    }
    for ((index, step), count) in batch.steps.iter().enumerate().zip(&mut counts) {
        *count = step.expected(index, counted(&step.statement, *count))?;
    }
    Ok(counts)
}

/// A SELECT counts its rows on PostgreSQL and nothing on SQLite.
fn counted(statement: &Statement, changed: u64) -> u64 {
    if statement.counts() { changed } else { 0 }
}

async fn control(client: &ClientWrapper, sql: &str) -> Answer {
    client.batch_execute(sql).await.map(|()| 0)
}

fn at_step(error: &tokio_postgres::Error, batch: &Batch, step: usize) -> Error {
    classed(error)
        .of(batch.steps[step].statement.name_arc())
        .at(step)
}
