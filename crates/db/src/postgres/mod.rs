//! PostgreSQL: connections, statements, batches, transactions. A connection on which anything went
//! half-way (an error of the connection, a caller that left) never goes back to the pool.
mod batch;
mod connect;
mod fault;
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
    value::Value,
};
use connect::Connector;
pub(crate) use connect::bare;
use fault::classed;
pub(crate) use session::PostgresTx;
use std::time::Duration;

type Lease = pool::Lease<Connector>;

/// The server stops a statement at its timeout; when even that answer does not come, the
/// connection is given up this much later: as long again, between these two.
const GRACE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool<Connector>,
    patience: Patience,
}

/// How long an answer is waited for, and what an error means for the connection.
#[derive(Clone, Copy, Debug)]
struct Patience {
    limit: Duration,
    /// A server that turned out to take no writes is left for another one.
    fails_over: bool,
}

impl Postgres {
    pub(crate) async fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let connector = Connector::new(url, &options)?;
        let (shown, options) = (connector.shown().to_owned(), connector.options().clone());
        let patience = Patience {
            limit: options
                .statement_timeout
                .saturating_add(options.statement_timeout.clamp(GRACE.0, GRACE.1)),
            fails_over: connector.fails_over(),
        };
        let pool = Pool::new(connector, shown, &options)?;
        pool.lease().await?.keep();
        Ok(Self { pool, patience })
    }

    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        let lease = self.pool.lease().await?;
        let work = batch::execute_one(lease.conn(), statement, &values);
        let done = self.patience.with(work).await;
        settle(lease, &done);
        done
    }

    pub(crate) async fn fetch(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let lease = self.pool.lease().await?;
        let work = batch::fetch_one(lease.conn(), statement, &values);
        let done = self.patience.with(work).await;
        settle(lease, &done);
        done
    }

    pub(crate) async fn batch(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        if batch.rows() == 0 {
            return batch::nothing(&batch);
        }
        let lease = self.pool.lease().await?;
        let done = self.patience.with(batch::run(lease.conn(), &batch)).await;
        settle(lease, &done);
        done
    }

    pub(crate) async fn begin(&self) -> Result<PostgresTx, Error> {
        self.begin_as("BEGIN", self.patience).await
    }

    /// A transaction that sees one state and has no time limit: who reads it may have to wait for
    /// whoever takes the rows.
    pub(crate) async fn begin_snapshot(&self) -> Result<PostgresTx, Error> {
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SELECT 1";
        let patience = Patience {
            limit: Duration::MAX,
            ..self.patience
        };
        self.begin_as(sql, patience).await
    }

    async fn begin_as(&self, sql: &str, patience: Patience) -> Result<PostgresTx, Error> {
        let lease = self.pool.lease().await?;
        match self.patience.with(control(&lease, sql)).await {
            Ok(()) => Ok(PostgresTx::new(lease, patience)),
            Err(error) => {
                // Unsettled it would be thrown away alone, and its neighbours kept.
                settle(lease, &Err::<(), _>(error.clone()));
                Err(error)
            }
        }
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    pub(crate) fn health(&self) -> Health {
        self.pool.health()
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        let lease = self.pool.lease().await?;
        let done = self.patience.with(control(&lease, "")).await;
        settle(lease, &done);
        done
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

impl Patience {
    async fn with<T>(self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(self.limit, work).await {
            Ok(Err(error)) if self.fails_over && error.class == Class::ReadOnly => Err(Error {
                class: Class::Unavailable,
                message: format!("{}; another host of the URL is tried", error.message),
                ..error
            }),
            Ok(done) => done,
            Err(_) => Err(Error::new(
                Class::Timeout,
                "the server did not answer in time; the connection was given up",
            )),
        }
    }
}

async fn control(lease: &Lease, sql: &str) -> Result<(), Error> {
    let done = lease.conn().batch_execute(sql).await;
    done.map_err(|e| classed(&e))
}

/// Puts the connection back if that is safe.
fn settle<T>(lease: Lease, done: &Result<T, Error>) {
    match done {
        Err(error) if fault::is_stale_plan(error) => drop(lease),
        _ => lease.settle(done),
    }
}
