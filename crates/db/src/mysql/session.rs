//! An interactive transaction. Dropped before it is finished, or after a call that was given up,
//! its connection is thrown away and the server rolls back.
use super::{
    connect::{Connector, Session},
    given_up, run,
};
use crate::{
    error::{Class, Error},
    pool::Lease,
    row::Row,
    statement::Statement,
    value::Value,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

#[derive(Debug)]
pub(crate) struct MysqlTx {
    lease: Lease<Connector>,
    /// How long an answer is waited for.
    limit: Duration,
    /// For telling the server that nobody waits any more.
    connector: Arc<Connector>,
    /// A call is under way, was dropped half-way or given up, or the server is gone: nothing more
    /// can be sent.
    broken: Option<Class>,
}

impl MysqlTx {
    pub(super) async fn begin(
        lease: Lease<Connector>,
        sql: Option<&str>,
        limit: Duration,
        connector: Arc<Connector>,
    ) -> Result<Self, Error> {
        let mut tx = Self {
            lease,
            limit,
            connector,
            broken: None,
        };
        let conn = tx.enter()?;
        let begun = match sql {
            Some(sql) => timeout(limit, run::control(conn, sql)).await,
            None => timeout(limit, run::begin(conn)).await,
        };
        match tx.leave(begun) {
            Ok(()) => Ok(tx),
            Err(error) => {
                tx.lease.settle(&Err::<(), _>(error.clone()));
                Err(error)
            }
        }
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        let limit = self.limit;
        let conn = self.enter()?;
        let done = timeout(limit, run::execute(conn, statement, rows)).await;
        self.leave(done)
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        let limit = self.limit;
        let conn = self.enter()?;
        let done = timeout(limit, run::fetch(conn, statement, rows)).await;
        self.leave(done)
    }

    /// Migrations only: they may take as long as they take.
    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        let done = run::control(self.enter()?, sql).await;
        self.leave(Ok(done))
    }

    pub(crate) async fn finish(mut self, commit: bool) -> Result<(), Error> {
        if let Some(class) = self.broken {
            // Closing the connection rolls back.
            let over = Err(over(class));
            self.lease.settle(&over);
            return if commit { over } else { Ok(()) };
        }
        let limit = self.limit;
        let ended = timeout(limit, run::end(self.enter()?, commit)).await;
        let done = self.leave(ended);
        self.lease.settle(&done);
        done
    }

    fn enter(&mut self) -> Result<&mut Session, Error> {
        match self.broken.replace(Class::Timeout) {
            None => Ok(self.lease.conn_mut()),
            Some(class) => {
                self.broken = Some(class);
                Err(over(class))
            }
        }
    }

    /// Notes how a call ended; none: it took too long.
    fn leave<T>(
        &mut self,
        done: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Error> {
        let Ok(done) = done else {
            let id = self.lease.conn().id();
            return Err(given_up(id, Arc::clone(&self.connector)));
        };
        self.broken = match &done {
            Err(error) if error.class == Class::Gone => Some(Class::Gone),
            _ => None,
        };
        done
    }
}

fn over(class: Class) -> Error {
    Error::new(
        class,
        "a statement in this transaction was given up; it was rolled back",
    )
}
