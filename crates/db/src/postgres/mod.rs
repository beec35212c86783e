//! PostgreSQL: a pool of connections. Nothing pings before use; a connection on which anything
//! went half-way (an error of the connection, a caller that left) never goes back to the pool.
mod batch;
mod connect;
mod fault;
mod session;
mod value;

use crate::{
    batch::Batch,
    database::PoolStats,
    error::{Class, Error},
    options::Options,
    row::Row,
    statement::Statement,
    value::Value,
};
use deadpool_postgres::{ClientWrapper, Object, Pool};
use fault::classed;
pub(crate) use session::PostgresTx;
use std::time::Duration;

/// The server stops a statement at its timeout; when even that answer does not come, the
/// connection is given up this much later.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    /// The URL without its password, for messages.
    shown: String,
    options: Options,
}

impl Postgres {
    pub(crate) async fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let (pool, shown) = connect::pool(url, &options)?;
        let db = Self {
            pool,
            shown,
            options,
        };
        db.lease().await?.keep();
        Ok(db)
    }

    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        let lease = self.lease().await?;
        let done = self
            .limited(batch::execute_one(lease.client(), statement, &values))
            .await;
        lease.settle(&done);
        done
    }

    pub(crate) async fn fetch(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let lease = self.lease().await?;
        let done = self
            .limited(batch::fetch_one(lease.client(), statement, &values))
            .await;
        lease.settle(&done);
        done
    }

    pub(crate) async fn batch(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        if batch.rows() == 0 {
            return batch::nothing(&batch);
        }
        let lease = self.lease().await?;
        let done = self.limited(batch::run(lease.client(), &batch)).await;
        lease.settle(&done);
        done
    }

    pub(crate) async fn begin(&self) -> Result<PostgresTx, Error> {
        let lease = self.lease().await?;
        lease
            .client()
            .batch_execute("BEGIN")
            .await
            .map_err(|e| classed(&e))?;
        Ok(PostgresTx::new(lease))
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let status = self.pool.status();
        PoolStats {
            max: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        let lease = self.lease().await?;
        let ping = async {
            lease
                .client()
                .batch_execute("")
                .await
                .map_err(|e| classed(&e))
        };
        let done = self.limited(ping).await;
        lease.settle(&done);
        done
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }

    async fn lease(&self) -> Result<Lease, Error> {
        match self.pool.get().await {
            Ok(client) => Ok(Lease {
                client: Some(client),
            }),
            Err(error) => Err(connect::fault(&error, &self.shown, &self.options)),
        }
    }

    async fn limited<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match tokio::time::timeout(self.options.statement_timeout + GRACE, work).await {
            Ok(done) => done,
            Err(_) => Err(Error::new(
                Class::Timeout,
                "the server did not answer in time; the connection was given up",
            )),
        }
    }
}

/// A connection out of the pool. Unless it is settled it is thrown away, so that a caller who
/// drops a future half-way leaves no open transaction behind.
#[derive(Debug)]
pub(crate) struct Lease {
    client: Option<Object>,
}

impl Lease {
    pub(crate) fn client(&self) -> &ClientWrapper {
        self.client
            .as_ref()
            .expect("the client is taken in drop and keep only")
    }

    /// Gives it back.
    pub(crate) fn keep(mut self) {
        drop(self.client.take());
    }

    /// Gives it back, unless the work on it ended in a way that makes its state unknown.
    pub(crate) fn settle<T>(self, done: &Result<T, Error>) {
        match done {
            Ok(_) => self.keep(),
            Err(error) => match error.class {
                // A stale plan is a `Serialization` too: a new connection has none.
                Class::Gone | Class::Timeout | Class::Serialization => drop(self),
                _ => self.keep(),
            },
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
