//! SQL Server: a pool of connections. The driver is not safe to cancel, so every call runs in a task
//! of its own that owns its connection, and a connection on which anything went half-way never goes
//! back to the pool.
mod batch;
mod connect;
mod fault;
mod request;
mod session;
mod tls;
mod value;

use crate::{
    batch::Batch,
    breaker::Health,
    database::PoolStats,
    error::{Class, Error},
    options::Options,
    pool::{self, Pool},
    row::Row,
    statement::Statement,
    url::Target,
    value::Value,
};
use connect::Connector;
use futures::future::BoxFuture;
use request::Conn;
pub(crate) use session::MssqlTx;
use std::time::Duration;

/// The server has no time limit of its own for a statement; it gets so long to stop one.
const GRACE: Duration = Duration::from_secs(5);

type Lease = pool::Lease<Connector>;

/// One bare connection, for the yardstick of the benchmarks.
pub(crate) async fn bare(url: &str) -> Result<connect::Native, Error> {
    let target = Target::parse(url, &connect::KIND, &Options::default())?;
    Connector::new(target)?.bare().await
}

#[derive(Debug)]
pub(crate) struct Mssql {
    pool: Pool<Connector>,
    limits: Limits,
}

/// What a connection may be used for.
#[derive(Clone, Copy, Debug)]
struct Limits {
    statement: Duration,
    read_only: bool,
}

impl Mssql {
    pub(crate) async fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let target = Target::parse(url, &connect::KIND, &options)?;
        let limits = Limits {
            statement: target.options.statement_timeout,
            read_only: options.read_only,
        };
        let (shown, options) = (target.shown.clone(), target.options.clone());
        let pool = Pool::new(Connector::new(target)?, shown, &options)?;
        pool.lease().await?.keep();
        Ok(Self { pool, limits })
    }

    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        self.allow(statement.writes())?;
        let statement = statement.clone();
        self.run(move |conn| {
            Box::pin(async move {
                if statement.script().len() < 2 {
                    return batch::execute_one(conn, &statement, &values).await;
                }
                // Several statements stand for it; they take effect together.
                let mut whole = Batch::new();
                whole.push(&statement.into(), vec![values], None);
                Ok(batch::run(conn, &whole).await?.iter().sum())
            })
        })
        .await
    }

    pub(crate) async fn fetch(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        self.allow(statement.writes())?;
        let statement = statement.clone();
        self.run(move |conn| {
            Box::pin(async move { batch::fetch_one(conn, &statement, &values).await })
        })
        .await
    }

    pub(crate) async fn batch(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        if batch.rows() == 0 {
            return batch::nothing(&batch);
        }
        self.allow(batch.steps.iter().any(|step| step.statement.writes()))?;
        self.run(move |conn| Box::pin(async move { batch::run(conn, &batch).await }))
            .await
    }

    pub(crate) async fn begin(&self) -> Result<MssqlTx, Error> {
        MssqlTx::begin(self.pool.lease().await?, self.limits).await
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    pub(crate) fn health(&self) -> Health {
        self.pool.health()
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.run(|conn| Box::pin(async move { conn.plain("SELECT 1 AS alive").await.map(drop) }))
            .await
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Runs `work` on a connection, to its end even when the caller goes away.
    async fn run<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let (mut lease, limits) = (self.pool.lease().await?, self.limits);
        let task = tokio::spawn(async move {
            let done = limited(lease.conn_mut(), limits, work).await;
            settle(lease, &done);
            done
        });
        task.await.unwrap_or_else(|_| {
            Err(Error::new(
                Class::Gone,
                "the program ends; whether the statement took effect is not known",
            ))
        })
    }

    /// The server has no sessions that can only read.
    fn allow(&self, writes: bool) -> Result<(), Error> {
        if writes && self.limits.read_only {
            return Err(read_only());
        }
        Ok(())
    }
}

fn read_only() -> Error {
    Error::new(
        Class::ReadOnly,
        "the database was opened for reading only; nothing was written",
    )
}

/// Puts a connection back if it is in order, and tells the pool when the server is away.
fn settle<T>(lease: Lease, done: &Result<T, Error>) {
    match done {
        Err(error) if matches!(error.class, Class::Gone | Class::Unavailable) => {
            lease.settle(done);
        }
        _ if lease.conn().is_clean() => lease.keep(),
        _ => drop(lease),
    }
}

/// Runs `work` for as long as a statement may take; then the server is told to stop it, and the
/// connection is of no use any more.
async fn limited<'c, T, F>(conn: &'c mut Conn, limits: Limits, work: F) -> Result<T, Error>
where
    F: for<'w> FnOnce(&'w mut Conn) -> BoxFuture<'w, Result<T, Error>>,
{
    match tokio::time::timeout(limits.statement, work(conn)).await {
        Ok(done) => done,
        Err(_) => Err(stopped(conn, limits).await),
    }
}

/// Tells the server to stop a statement that takes too long.
async fn stopped(conn: &mut Conn, limits: Limits) -> Error {
    // Without an answer to that either, closing the connection is all that can be done.
    let _ = tokio::time::timeout(GRACE, conn.cancel()).await;
    Error::new(
        Class::Timeout,
        format!(
            "the statement took longer than {:?} and was stopped; raise `statement_timeout_ms` in \
             the URL",
            limits.statement
        ),
    )
}
