//! An open transaction, as the work inside [`Database::transact`](crate::Database::transact) sees
//! it. Dropped without a commit it is rolled back.
use std::{sync::Arc, time::Instant};

use crate::{
    database::{at_most_one, bind},
    error::Error,
    mssql::MssqlTx,
    mysql::MysqlTx,
    postgres::PostgresTx,
    row::Row,
    sqlite::SqliteTx,
    statement::Statement,
    timing::Timings,
    value::Value,
};

/// An open transaction.
#[derive(Debug)]
pub struct Tx {
    backend: Backend,
    /// Where the times of its statements are noted, if at all.
    timings: Option<Arc<Timings>>,
    state: State,
}

/// A failed statement ends a transaction on PostgreSQL, not elsewhere; here it does everywhere.
#[derive(Clone, Debug)]
enum State {
    Open,
    /// A call has begun; seen from outside: whoever made it has left half-way.
    UnderWay,
    Failed(Error),
}

#[derive(Debug)]
enum Backend {
    Sqlite(SqliteTx),
    /// Boxed: it holds a whole connection, the other a channel.
    Postgres(Box<PostgresTx>),
    Mysql(Box<MysqlTx>),
    Mssql(Box<MssqlTx>),
}

impl Tx {
    fn on(backend: Backend) -> Self {
        Self {
            backend,
            timings: None,
            state: State::Open,
        }
    }

    /// Notes the times of its statements there.
    pub(crate) fn timed_by(&mut self, timings: Arc<Timings>) {
        self.timings = Some(timings);
    }

    fn note(&self, statement: &Statement, began: Instant, rows: Result<u64, &Error>) {
        if let Some(timings) = &self.timings {
            timings.note(statement.name_arc(), began, rows);
        }
    }

    pub(crate) fn sqlite(tx: SqliteTx) -> Self {
        Self::on(Backend::Sqlite(tx))
    }

    pub(crate) fn postgres(tx: PostgresTx) -> Self {
        Self::on(Backend::Postgres(Box::new(tx)))
    }

    pub(crate) fn mysql(tx: MysqlTx) -> Self {
        Self::on(Backend::Mysql(Box::new(tx)))
    }

    pub(crate) fn mssql(tx: MssqlTx) -> Self {
        Self::on(Backend::Mssql(Box::new(tx)))
    }

    /// Executes one statement; answers how many rows it changed.
    ///
    /// # Errors
    /// What the database answered, or a parameter is missing or unknown.
    pub async fn execute(
        &mut self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<u64, Error> {
        let rows = vec![bind(statement, params)?];
        self.execute_rows(statement, rows).await
    }

    /// Executes one statement for each of `rows` (values in the order of its parameters); answers
    /// how many rows it changed in total.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn execute_rows(
        &mut self,
        statement: &Statement,
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, Error> {
        self.enter()?;
        let began = Instant::now();
        let done = match &mut self.backend {
            Backend::Sqlite(tx) => tx.execute(statement, rows).await,
            Backend::Postgres(tx) => tx.execute(statement, &rows).await,
            Backend::Mysql(tx) => tx.execute(statement, &rows).await,
            Backend::Mssql(tx) => tx.execute(statement, &rows).await,
        };
        self.note(statement, began, done.as_ref().copied());
        self.leave(done)
    }

    /// Executes one statement and answers all its rows.
    ///
    /// # Errors
    /// What the database answered, or a parameter is missing or unknown.
    pub async fn fetch_all(
        &mut self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<Vec<Row>, Error> {
        self.fetch_rows(statement, vec![bind(statement, params)?])
            .await
    }

    /// Executes one statement for each of `rows` and answers all the rows that it returns.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn fetch_rows(
        &mut self,
        statement: &Statement,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, Error> {
        self.enter()?;
        let began = Instant::now();
        let found = match &mut self.backend {
            Backend::Sqlite(tx) => tx.fetch(statement, rows).await,
            Backend::Postgres(tx) => tx.fetch(statement, &rows).await,
            Backend::Mysql(tx) => tx.fetch(statement, &rows).await,
            Backend::Mssql(tx) => tx.fetch(statement, &rows).await,
        };
        let count = found.as_ref().map(|rows| rows.len() as u64);
        self.note(statement, began, count);
        self.leave(found)
    }

    /// Executes one statement and answers its only row, if there is one.
    ///
    /// # Errors
    /// What the database answered, a parameter is missing or unknown, or there are several rows.
    pub async fn fetch_optional(
        &mut self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<Option<Row>, Error> {
        at_most_one(statement, self.fetch_all(statement, params).await?)
    }

    /// Executes one native statement without parameters: migrations only. They look themselves at
    /// what failed, and clean up behind it.
    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        let before = std::mem::replace(&mut self.state, State::UnderWay);
        let done = match &mut self.backend {
            Backend::Sqlite(tx) => tx.raw(sql).await,
            Backend::Postgres(tx) => tx.raw(sql).await,
            Backend::Mysql(tx) => tx.raw(sql).await,
            Backend::Mssql(tx) => tx.raw(sql).await,
        };
        self.state = before;
        done
    }

    fn enter(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.state, State::UnderWay) {
            State::Open => Ok(()),
            over => {
                self.state = over;
                Err(Error::other(
                    "an earlier statement of this transaction failed or was given up; it is \
                     rolled back",
                ))
            }
        }
    }

    fn leave<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        self.state = match &done {
            Ok(_) => State::Open,
            Err(error) => State::Failed(error.clone()),
        };
        done
    }

    /// Commits; when a statement has failed, rolls back and answers its error.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        let failed = match self.state.clone() {
            State::Open => None,
            State::Failed(error) => Some(error),
            State::UnderWay => Some(Error::other(
                "a statement of this transaction was given up half-way; it was rolled back",
            )),
        };
        if let Some(error) = failed {
            // A rollback that fails closes the connection, which rolls back as well.
            let _ = self.rollback().await;
            return Err(error);
        }
        let began = Instant::now();
        let done = match self.backend {
            Backend::Sqlite(tx) => tx.finish(true).await,
            Backend::Postgres(tx) => tx.finish(true).await,
            Backend::Mysql(tx) => tx.finish(true).await,
            Backend::Mssql(tx) => tx.finish(true).await,
        };
        if let Some(timings) = self.timings {
            timings.note(&"commit".into(), began, done.as_ref().map(|()| 0));
        }
        done
    }

    pub(crate) async fn rollback(self) -> Result<(), Error> {
        match self.backend {
            Backend::Sqlite(tx) => tx.finish(false).await,
            Backend::Postgres(tx) => tx.finish(false).await,
            Backend::Mysql(tx) => tx.finish(false).await,
            Backend::Mssql(tx) => tx.finish(false).await,
        }
    }
}
