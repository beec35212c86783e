//! An interactive transaction. Dropped before it is finished, or after an error within, its
//! connection is thrown away and the server rolls back.
use super::{Lease, Limits, batch, limited, stopped};
use crate::{
    error::{Class, Error},
    row::Row,
    statement::Statement,
    value::Value,
};

#[derive(Debug)]
pub(crate) struct MssqlTx {
    lease: Lease,
    limits: Limits,
    /// A call was dropped half-way, or failed: the server has rolled back, or will.
    broken: bool,
}

impl MssqlTx {
    pub(super) async fn begin(mut lease: Lease, limits: Limits) -> Result<Self, Error> {
        let begun = limited(lease.conn_mut(), limits, |conn| {
            Box::pin(async move { conn.plain("BEGIN TRANSACTION").await.map(drop) })
        });
        begun.await?;
        // Whatever happens to it from here on, nobody finds the transaction open.
        lease.conn_mut().set_clean(false);
        Ok(Self {
            lease,
            limits,
            broken: false,
        })
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        self.enter(statement.writes())?;
        let work = batch::execute_rows(self.lease.conn_mut(), statement, rows);
        let done = tokio::time::timeout(self.limits.statement, work).await;
        self.leave(done).await
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        self.enter(statement.writes())?;
        let work = batch::fetch_rows(self.lease.conn_mut(), statement, rows);
        let done = tokio::time::timeout(self.limits.statement, work).await;
        self.leave(done).await
    }

    /// Migrations only: they may take as long as they take.
    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        self.enter(true)?;
        let done = self.lease.conn_mut().plain(sql).await;
        self.broken = done.is_err();
        done.map(drop)
    }

    pub(crate) async fn finish(mut self, commit: bool) -> Result<(), Error> {
        if self.broken {
            // Closing the connection rolls back whatever is left.
            return if commit { Err(over()) } else { Ok(()) };
        }
        let sql = if commit { "COMMIT" } else { "ROLLBACK" };
        let done = limited(self.lease.conn_mut(), self.limits, |conn| {
            Box::pin(async move {
                conn.plain(sql).await?;
                conn.set_clean(true);
                Ok(())
            })
        });
        let done = done.await;
        super::settle(self.lease, &done);
        done
    }

    /// Notes how a call ended; none: it took too long.
    async fn leave<T>(
        &mut self,
        done: Result<Result<T, Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, Error> {
        let done = match done {
            Ok(done) => done,
            Err(_) => Err(stopped(self.lease.conn_mut(), self.limits).await),
        };
        self.broken = done.is_err();
        done
    }

    fn enter(&mut self, writes: bool) -> Result<(), Error> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(over());
        }
        if writes && self.limits.read_only {
            self.broken = false;
            return Err(super::read_only());
        }
        Ok(())
    }
}

fn over() -> Error {
    Error::new(
        Class::Other,
        "a statement in this transaction failed or was given up; it was rolled back",
    )
}
