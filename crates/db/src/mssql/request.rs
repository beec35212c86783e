//! One request: a text, its parameters, and what comes back. A request that did not end cleanly
//! leaves its connection marked, and nobody uses it again: the driver is not safe to cancel and
//! has no way to reset a session.
use super::{
    fault::{classed, refused},
    value,
};
use crate::{
    dialect::ColumnType,
    error::Error,
    row::Row,
    statement::{Piece, Statement, Template, tsql},
    value::Value,
};
use futures::TryStreamExt;
use std::sync::Arc;
use tiberius::{ColumnData, Query, QueryItem, QueryStream};
use tokio::net::TcpStream;
use tokio_util::compat::Compat;
use tsql::Wanted;

/// The server takes 2,100; some are left for the rest of an execution.
pub(super) const MOST_PARAMS: usize = 2_000;

/// A connection.
pub(crate) struct Conn {
    client: tiberius::Client<Compat<TcpStream>>,
    /// Whether everything that was sent was answered to its end, or refused as a whole.
    clean: bool,
}

impl Conn {
    pub(super) fn new(client: tiberius::Client<Compat<TcpStream>>) -> Self {
        Self {
            client,
            clean: true,
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }

    /// For a transaction that is open: whoever finds the connection then must not use it.
    pub(super) fn set_clean(&mut self, clean: bool) {
        self.clean = clean;
    }

    /// Executes plain SQL: `BEGIN` and `COMMIT` must not be within a procedure, which a request
    /// with parameters is.
    pub(super) async fn plain(&mut self, sql: &str) -> Result<Vec<Row>, Error> {
        let clean = std::mem::take(&mut self.clean);
        let stream = self.client.simple_query(sql).await;
        let mut rows = Vec::new();
        collect(stream.map_err(|e| classed(&e))?, &mut rows).await?;
        self.clean = clean;
        Ok(rows)
    }

    /// Executes a request that is no part of a batch; answers how many rows each of its statements
    /// changed.
    pub(super) async fn execute(&mut self, request: Request<'_>) -> Result<Vec<u64>, Error> {
        let clean = std::mem::take(&mut self.clean);
        let is_one = request.statements == 1;
        let done = request.query().execute(&mut self.client).await;
        // One statement that was refused has changed nothing and leaves no transaction, and what is
        // left of the answer is skipped before the next one. In a transaction it is marked already.
        self.clean = clean && done.as_ref().err().is_none_or(|e| is_one && refused(e));
        Ok(done.map_err(|e| classed(&e))?.rows_affected().to_vec())
    }

    /// Executes a request; answers the rows of all its results.
    pub(super) async fn fetch(&mut self, request: Request<'_>) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        self.fetch_into(request, &mut rows).await?;
        Ok(rows)
    }

    /// Executes a request; what came before an error is in `rows`.
    pub(super) async fn fetch_into(
        &mut self,
        request: Request<'_>,
        rows: &mut Vec<Row>,
    ) -> Result<(), Error> {
        let clean = std::mem::take(&mut self.clean);
        let stream = request.query().query(&mut self.client).await;
        collect(stream.map_err(|e| classed(&e))?, rows).await?;
        self.clean = clean;
        Ok(())
    }

    /// Tells the server to stop what it is doing. The connection is of no use afterwards.
    pub(super) async fn cancel(&mut self) {
        self.clean = false;
        // A failure means that it is broken anyway.
        let _ = self.client.cancel_query().await;
    }
}

async fn collect(mut stream: QueryStream<'_>, rows: &mut Vec<Row>) -> Result<(), Error> {
    let mut names: Arc<[String]> = Arc::new([]);
    while let Some(item) = stream.try_next().await.map_err(|e| classed(&e))? {
        match item {
            QueryItem::Metadata(result) => {
                let columns = result.columns().iter();
                names = columns.map(|column| column.name().to_owned()).collect();
            }
            QueryItem::Row(row) => {
                let cells = row.into_iter().zip(names.iter());
                let values = cells.map(|(data, name)| {
                    value::cell(data).map_err(|why| Error::other(format!("column `{name}`: {why}")))
                });
                rows.push(Row::new(
                    Arc::clone(&names),
                    values.collect::<Result<_, _>>()?,
                ));
            }
        }
    }
    Ok(())
}

/// The values of one execution.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    One(&'a [Value]),
    /// All rows of a statement with a row source, as JSON.
    Many(&'a [Vec<Value>]),
}

/// What is to be sent.
#[derive(Default)]
pub(super) struct Request<'a> {
    pub(super) sql: String,
    statements: usize,
    params: Vec<ColumnData<'a>>,
}

impl<'a> Request<'a> {
    /// One execution and nothing around it.
    pub(super) fn of(statement: &Statement, source: Source<'a>) -> Result<Self, Error> {
        let mut request = Self::default();
        request.add(statement, source, ";\n")?;
        Ok(request)
    }

    /// Appends an execution; `behind` is written behind each of its statements.
    pub(super) fn add(
        &mut self,
        statement: &Statement,
        source: Source<'a>,
        behind: &str,
    ) -> Result<(), Error> {
        let mut places = Places {
            params: &mut self.params,
            source,
            known: Vec::new(),
            script: statement.script(),
            fault: None,
        };
        for part in statement.script() {
            let json = matches!(source, Source::Many(_));
            tsql::write(part, json, &mut self.sql, &mut |wanted| places.take(wanted));
            self.sql.push_str(behind);
            self.statements += 1;
        }
        match places.fault {
            Some(why) => Err(Error::other(why).of(statement.name_arc())),
            None => Ok(()),
        }
    }

    pub(super) fn params(&self) -> usize {
        self.params.len()
    }

    fn query(self) -> Query<'a> {
        let mut query = Query::new(self.sql);
        for param in self.params {
            query.bind(param);
        }
        query
    }
}

/// The placeholders of one execution: the same value gets the same one in all its statements.
struct Places<'r, 'a> {
    params: &'r mut Vec<ColumnData<'a>>,
    source: Source<'a>,
    /// Position (none: all rows) and text of those given out.
    known: Vec<(Option<usize>, String)>,
    script: &'r [Template],
    fault: Option<String>,
}

impl<'a> Places<'_, 'a> {
    fn take(&mut self, wanted: Wanted) -> String {
        let at = match wanted {
            Wanted::Value(at) | Wanted::List(at) | Wanted::Items(at) => Some(at),
            Wanted::Rows => None,
        };
        if matches!(wanted, Wanted::List(_)) && !self.list_fits(at) {
            return String::new();
        }
        if let Some((_, text)) = self.known.iter().find(|(known, _)| *known == at) {
            return text.clone();
        }
        let text = self.bound(wanted).unwrap_or_else(|why| {
            self.fault.get_or_insert(why);
            String::new()
        });
        self.known.push((at, text.clone()));
        text
    }

    fn bound(&mut self, wanted: Wanted) -> Result<String, String> {
        match (wanted, self.source) {
            (Wanted::Value(at), Source::One(values)) => match &values[at] {
                Value::Null => Ok("NULL".to_owned()),
                value => value::parameter(value).map(|data| self.push(data)),
            },
            (Wanted::List(at), Source::One(values)) => {
                let json = value::list(&values[at], self.list_type(at))?;
                Ok(self.push(ColumnData::String(Some(json.into()))))
            }
            (Wanted::Items(at), Source::One(values)) => {
                let Value::List(items) = &values[at] else {
                    return Err(format!(
                        "{} is given where a list is wanted",
                        values[at].kind()
                    ));
                };
                if items.len() > MOST_PARAMS {
                    return Err(format!(
                        "a list of {} such values is too long for SQL Server; it takes \
                         {MOST_PARAMS}",
                        items.len()
                    ));
                }
                let places = items.iter().map(|item| match item {
                    Value::Null => Ok("NULL".to_owned()),
                    item => value::parameter(item).map(|data| self.push(data)),
                });
                Ok(places.collect::<Result<Vec<_>, _>>()?.join(", "))
            }
            (Wanted::Rows, Source::Many(rows)) => {
                let mut pieces = self.script.iter().flat_map(Template::pieces);
                let source = pieces.find_map(|piece| match piece {
                    Piece::Rows(source) => Some(source),
                    Piece::Text(_) | Piece::Value(_) | Piece::List(..) => None,
                });
                let json = source.map(|source| value::rows(rows, source)).transpose()?;
                Ok(self.push(ColumnData::String(json.map(Into::into))))
            }
            (_, Source::Many(_)) | (Wanted::Rows, Source::One(_)) => {
                Err("a statement with a row source has other parameters as well".to_owned())
            }
        }
    }

    /// Whether all items of a list can be written as JSON.
    fn list_fits(&self, at: Option<usize>) -> bool {
        match (self.source, at) {
            (Source::One(values), Some(at)) => match &values[at] {
                Value::List(items) => items.iter().all(value::fits_json),
                _ => true,
            },
            _ => true,
        }
    }

    fn list_type(&self, at: usize) -> ColumnType {
        let mut pieces = self.script.iter().flat_map(Template::pieces);
        let of = pieces.find_map(|piece| match piece {
            Piece::List(found, of) if *found == at => Some(*of),
            Piece::Text(_) | Piece::Value(_) | Piece::List(..) | Piece::Rows(_) => None,
        });
        of.unwrap_or(ColumnType::Text)
    }

    fn push(&mut self, data: ColumnData<'a>) -> String {
        self.params.push(data);
        format!("@P{}", self.params.len())
    }
}
