//! MySQL and MariaDB: a pool of connections. The driver's calls may not be dropped half-way, so
//! each runs in a task of its own that owns the connection; one on which anything went wrong
//! half-way never goes back to the pool.
mod call;
mod connect;
mod fault;
mod run;
mod session;
mod tls;
mod value;

use crate::{
    batch::Batch,
    breaker::Health,
    database::PoolStats,
    error::{Class, Error},
    options::Options,
    pool::{Driver as _, Lease, Pool},
    row::Row,
    statement::Statement,
    value::Value,
};
use connect::{Connector, Session};
use futures::future::BoxFuture;
use mysql_async::prelude::Queryable as _;
pub(crate) use session::MysqlTx;
use std::{sync::Arc, time::Duration};

/// A session as the pool makes them, for the yardstick of the benchmarks.
pub(crate) async fn bare(url: &str) -> Result<Session, Error> {
    Connector::new(url, &Options::default())?.connect().await
}

/// The server stops a statement at its timeout, where it can; this much later the connection is
/// given up, and the server told.
const GRACE: Duration = Duration::from_secs(1);

/// A level set inside of a transaction is not that of the next one on every server. Who reads may
/// rest for long in between.
const SNAPSHOT: &str = "SET SESSION wait_timeout = 28800 /*M!100300 , idle_transaction_timeout = 0 */; \
     SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
     START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

#[derive(Debug)]
pub(crate) struct Mysql {
    pool: Pool<Connector>,
    connector: Arc<Connector>,
    timeout: Duration,
}

impl Mysql {
    pub(crate) async fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let connector = Connector::new(url, &options)?;
        let target = connector.target.clone();
        let timeout = target.options.statement_timeout;
        let (shown, options) = (target.shown.clone(), target.options.clone());
        let db = Self {
            pool: Pool::new(connector, shown, &options)?,
            connector: Arc::new(Connector { target }),
            timeout,
        };
        db.pool.lease().await?.keep();
        Ok(db)
    }

    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        let statement = statement.clone();
        let rows = [values];
        self.on_a_connection(move |conn| {
            Box::pin(async move { run::execute(conn, &statement, &rows).await })
        })
        .await
    }

    pub(crate) async fn fetch(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let statement = statement.clone();
        let rows = [values];
        self.on_a_connection(move |conn| {
            Box::pin(async move { run::fetch(conn, &statement, &rows).await })
        })
        .await
    }

    pub(crate) async fn batch(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        if batch.rows() == 0 {
            return run::nothing(&batch);
        }
        self.on_a_connection(move |conn| Box::pin(async move { run::batch(conn, &batch).await }))
            .await
    }

    pub(crate) async fn begin(&self) -> Result<MysqlTx, Error> {
        self.begin_as(None).await
    }

    /// A transaction that sees one state. Its session is set to what no other work wants, and
    /// must not go back to the pool: whoever has the snapshot drops it.
    pub(crate) async fn begin_snapshot(&self) -> Result<MysqlTx, Error> {
        self.begin_as(Some(SNAPSHOT)).await
    }

    async fn begin_as(&self, sql: Option<&str>) -> Result<MysqlTx, Error> {
        let lease = self.pool.lease().await?;
        let connector = Arc::clone(&self.connector);
        MysqlTx::begin(lease, sql, self.timeout + GRACE, connector).await
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    pub(crate) fn health(&self) -> Health {
        self.pool.health()
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        self.on_a_connection(|conn| {
            Box::pin(async move { conn.ping().await.map_err(|error| fault::classed(&error)) })
        })
        .await
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    /// Does `work` on a connection out of the pool, to its end even when nobody waits for it.
    async fn on_a_connection<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut Session) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
    {
        let lease = self.pool.lease().await?;
        let (timeout, connector) = (self.timeout, Arc::clone(&self.connector));
        let task = tokio::spawn(owned(lease, work, timeout, connector));
        task.await.unwrap_or_else(|error| {
            Err(Error::other(if error.is_panic() {
                "the driver panicked; its connection was thrown away"
            } else {
                "the statement was stopped because the program ends"
            }))
        })
    }
}

async fn owned<T, W>(
    mut lease: Lease<Connector>,
    work: W,
    timeout: Duration,
    connector: Arc<Connector>,
) -> Result<T, Error>
where
    W: for<'c> FnOnce(&'c mut Session) -> BoxFuture<'c, Result<T, Error>>,
{
    let id = lease.conn().id();
    match tokio::time::timeout(timeout + GRACE, work(lease.conn_mut())).await {
        Ok(done) => {
            lease.settle(&done);
            done
        }
        Err(_) => {
            drop(lease);
            Err(given_up(id, connector))
        }
    }
}

/// The server would work on and hold its locks: it does not see that we left.
fn given_up(id: u32, connector: Arc<Connector>) -> Error {
    tokio::spawn(async move { connector.kill(id).await });
    Error::new(
        Class::Timeout,
        "the statement took too long and was stopped (the server did not answer in time)",
    )
}
