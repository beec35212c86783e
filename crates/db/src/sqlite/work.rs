//! What runs on a connection, on whichever thread holds it: statements, fetches, whole batches.
use super::{fault::classed, open::Link};
use crate::{batch::Batch, error::Error, row::Row, statement::Statement, value::Value};
use rusqlite::{
    CachedStatement,
    types::{ToSql, ToSqlOutput, ValueRef},
};
use rust_decimal::Decimal;
use std::{fmt::Write as _, sync::Arc};

pub(super) fn execute(
    link: &Link,
    statement: &Statement,
    rows: &[Vec<Value>],
) -> Result<u64, Error> {
    let run = || -> rusqlite::Result<u64> {
        let mut prepared = link.connection.prepare_cached(statement.sql())?;
        let returns = prepared.column_count() > 0;
        let mut changed = 0;
        for row in rows {
            bind(&mut prepared, row)?;
            if returns {
                let mut answers = prepared.raw_query();
                while answers.next()?.is_some() {}
            } else {
                prepared.raw_execute()?;
            }
            if statement.counts() {
                changed += link.connection.changes();
            }
        }
        Ok(changed)
    };
    run().map_err(|e| classed(&e).of(statement.name_arc()))
}

pub(super) fn fetch(
    link: &Link,
    statement: &Statement,
    values: &[Value],
) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    fetch_into(link, statement, values, &mut rows).map_err(|e| e.of(statement.name_arc()))?;
    Ok(rows)
}

pub(super) fn fetch_into(
    link: &Link,
    statement: &Statement,
    values: &[Value],
    rows: &mut Vec<Row>,
) -> Result<(), Error> {
    let fault = |e: rusqlite::Error| classed(&e);
    let mut prepared = link
        .connection
        .prepare_cached(statement.sql())
        .map_err(fault)?;
    let columns: Arc<[String]> = prepared.column_names().map(str::to_owned).collect();
    bind(&mut prepared, values).map_err(fault)?;
    let mut answers = prepared.raw_query();
    while let Some(answer) = answers.next().map_err(fault)? {
        let mut read = Vec::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            read.push(value(answer.get_ref(at).map_err(fault)?, column)?);
        }
        rows.push(Row::new(Arc::clone(&columns), read));
    }
    Ok(())
}

/// A whole transaction. A single row that cannot miss its expectation needs no BEGIN and COMMIT.
pub(super) fn batch(link: &Link, batch: &Batch) -> Result<Vec<u64>, Error> {
    if let [step] = batch.steps.as_slice()
        && step.rows.len() == 1
        && (step.expect.is_none() || (step.statement.inserts_all() && step.expect == Some(1)))
    {
        let changed = execute(link, &step.statement, &step.rows).map_err(|error| error.at(0))?;
        return Ok(vec![changed]);
    }
    begin(link)?;
    let run = || {
        let mut counts = Vec::with_capacity(batch.steps.len());
        for (index, step) in batch.steps.iter().enumerate() {
            let changed =
                execute(link, &step.statement, &step.rows).map_err(|error| error.at(index))?;
            counts.push(step.expected(index, changed)?);
        }
        control(link, "COMMIT")?;
        Ok(counts)
    };
    run().inspect_err(|_| rollback(link))
}

pub(super) fn ping(link: &Link) -> Result<(), Error> {
    link.connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
            row.get::<_, i64>(0)
        })
        .map(|_| ())
        .map_err(|e| classed(&e))
}

/// Takes the write lock at once: a transaction that reads first and writes later could find that
/// another process wrote in between.
pub(super) fn begin(link: &Link) -> Result<(), Error> {
    control(link, "BEGIN IMMEDIATE")
}

pub(super) fn commit(link: &Link) -> Result<(), Error> {
    control(link, "COMMIT").inspect_err(|_| rollback(link))
}

/// Does nothing when SQLite has already rolled back by itself, as it does on a full disk.
pub(super) fn rollback(link: &Link) {
    if !link.connection.is_autocommit() {
        link.unlimited();
        // When even this fails the connection is broken and every later BEGIN says so.
        let _ = control(link, "ROLLBACK");
    }
}

fn control(link: &Link, sql: &str) -> Result<(), Error> {
    let run = || link.connection.prepare_cached(sql)?.raw_execute();
    run().map(|_| ()).map_err(|e| classed(&e))
}

fn bind(prepared: &mut CachedStatement<'_>, values: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in values.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, Bound(value))?;
    }
    Ok(())
}

/// A value on its way in; borrowed, so nothing is copied before SQLite does.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let refused = |why: String| {
            Err(rusqlite::Error::ToSqlConversionFailure(Box::new(
                Error::other(why),
            )))
        };
        if let Some(why) = self.0.refusal() {
            return refused(why.to_owned());
        }
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Bool(v) => ValueRef::Integer(i64::from(*v)),
            Value::Int(v) => ValueRef::Integer(*v),
            Value::Float(v) => ValueRef::Real(*v),
            Value::Text(v) => ValueRef::Text(v.as_bytes()),
            Value::Bytes(v) => ValueRef::Blob(v),
            Value::Uuid(v) => ValueRef::Blob(v.as_bytes()),
            Value::Time(v) => ValueRef::Integer(*v),
            Value::Decimal(v) => {
                return Ok(ToSqlOutput::Owned(rusqlite::types::Value::Text(plain(v))));
            }
            Value::List(list) => match json(list) {
                Ok(text) => return Ok(ToSqlOutput::Owned(rusqlite::types::Value::Text(text))),
                Err(why) => return refused(why),
            },
        }))
    }
}

/// A list as the JSON array that `json_each` takes apart; bytes and UUIDs in hex.
fn json(list: &[Value]) -> Result<String, String> {
    let items: Vec<serde_json::Value> = list
        .iter()
        .map(|item| match item {
            Value::Null => Ok(serde_json::Value::Null),
            Value::Bool(v) => Ok(i64::from(*v).into()),
            Value::Int(v) => Ok((*v).into()),
            Value::Float(v) => Ok((*v).into()),
            Value::Text(v) => Ok(v.as_str().into()),
            Value::Bytes(v) => Ok(hex(v).into()),
            Value::Uuid(v) => Ok(hex(v.as_bytes()).into()),
            Value::Time(v) => Ok((*v).into()),
            Value::Decimal(v) => Ok(plain(v).into()),
            Value::List(_) => Err("a list cannot hold a list".to_owned()),
        })
        .collect::<Result<_, _>>()?;
    Ok(serde_json::Value::Array(items).to_string())
}

/// Equal numbers are equal texts, so that they can be keys and be compared.
fn plain(decimal: &Decimal) -> String {
    decimal.normalize().to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn value(found: ValueRef<'_>, column: &str) -> Result<Value, Error> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Real(v) => Value::Float(v),
        ValueRef::Text(v) => Value::Text(
            std::str::from_utf8(v)
                .map_err(|_| {
                    Error::new(
                        crate::Class::Corrupt,
                        format!("column `{column}` holds text that is not UTF-8"),
                    )
                })?
                .to_owned(),
        ),
        ValueRef::Blob(v) => Value::Bytes(v.to_vec()),
    })
}
