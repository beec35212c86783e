//! The one way to a database: connect by URL, then statements, batches and transactions, the same
//! for every kind. Chooses the driver; has no SQL of its own.
use crate::{
    batch::Batch,
    breaker::Health,
    dialect::Dialect,
    error::{Class, Error, masked},
    mssql::Mssql,
    mysql::Mysql,
    options::Options,
    postgres::Postgres,
    row::Row,
    snapshot::Snapshot,
    sqlite::Sqlite,
    statement::Statement,
    timing::{SlowStatement, Timing, Timings, name_of},
    transaction::Tx,
    value::Value,
};
use futures::future::BoxFuture;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// A database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Database {
    backend: Backend,
    timings: Arc<Timings>,
}

#[derive(Clone, Debug)]
enum Backend {
    Sqlite(Arc<Sqlite>),
    Postgres(Arc<Postgres>),
    Mysql(Arc<Mysql>),
    Mssql(Arc<Mssql>),
}

/// How busy a database's connections are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// At most so many connections.
    pub max: usize,
    /// So many are open.
    pub open: usize,
    /// So many of the open ones are in use.
    pub in_use: usize,
    /// So many of the open ones are free.
    pub idle: usize,
    /// So many callers wait for one (SQLite: for the writer or a reader).
    pub waiting: usize,
    /// So many were made so far.
    pub created: u64,
    /// So many times one that was there already was used.
    pub reused: u64,
    /// How long all callers so far waited until they had one, in microseconds in total.
    pub wait_us: u64,
    /// The longest such wait, in microseconds.
    pub wait_max_us: u64,
}

impl Database {
    /// Opens the database at `url` and makes one connection, so that a wrong URL fails here.
    ///
    /// `sqlite:PATH` (relative to the working directory, or absolute), `sqlite::memory:`,
    /// `postgres://user:password@host:port/database?key=value`, where `host=/folder` is a socket,
    /// `mysql://…` (or `mariadb://…`), or `mssql://…` (or `sqlserver://…`). Servers may be
    /// several, `postgres://user@one:5432,two:5432/database`: the first that takes us is used. The
    /// options of the URL take the place of `options`.
    ///
    /// # Errors
    /// The URL is not understood, or the database cannot be used; the message says how to mend it.
    pub async fn connect(url: &str, options: Options) -> Result<Self, Error> {
        let scheme = url.split(':').next().unwrap_or_default();
        let backend = match scheme {
            "sqlite" => Backend::Sqlite(Arc::new(Sqlite::open(url, options).await?)),
            "postgres" | "postgresql" => {
                Backend::Postgres(Arc::new(Postgres::connect(url, options).await?))
            }
            "mysql" | "mariadb" => Backend::Mysql(Arc::new(Mysql::connect(url, options).await?)),
            "mssql" | "sqlserver" => Backend::Mssql(Arc::new(Mssql::connect(url, options).await?)),
            _ => {
                return Err(Error::new(
                    Class::Unavailable,
                    format!(
                        "the database URL `{}` is not understood; write `sqlite:FILE` or \
                         `KIND://user@host/database`, where KIND is postgres, mysql, mariadb or \
                         mssql",
                        masked(url)
                    ),
                ));
            }
        };
        Ok(Self {
            backend,
            timings: Arc::default(),
        })
    }

    /// The dialect that its statements must be rendered for.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.backend {
            Backend::Sqlite(_) => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
            Backend::Mysql(_) => Dialect::Mysql,
            Backend::Mssql(_) => Dialect::Mssql,
        }
    }

    /// Executes one statement in a transaction of its own; answers how many rows it changed.
    ///
    /// # Errors
    /// What the database answered, or a parameter is missing or unknown.
    pub async fn execute(
        &self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<u64, Error> {
        let values = bind(statement, params)?;
        let began = Instant::now();
        let done = match &self.backend {
            Backend::Sqlite(db) => db.execute(statement, values).await,
            Backend::Postgres(db) => db.execute(statement, values).await,
            Backend::Mysql(db) => db.execute(statement, values).await,
            Backend::Mssql(db) => db.execute(statement, values).await,
        };
        let rows = done.as_ref().copied();
        self.timings.note(statement.name_arc(), began, rows);
        done
    }

    /// Executes one statement and answers all its rows.
    ///
    /// # Errors
    /// What the database answered, or a parameter is missing or unknown.
    pub async fn fetch_all(
        &self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<Vec<Row>, Error> {
        let values = bind(statement, params)?;
        let began = Instant::now();
        let found = match &self.backend {
            Backend::Sqlite(db) => db.fetch(statement, values).await,
            Backend::Postgres(db) => db.fetch(statement, values).await,
            Backend::Mysql(db) => db.fetch(statement, values).await,
            Backend::Mssql(db) => db.fetch(statement, values).await,
        };
        let rows = found.as_ref().map(|rows| rows.len() as u64);
        self.timings.note(statement.name_arc(), began, rows);
        found
    }

    /// Executes one statement and answers its only row, if there is one.
    ///
    /// # Errors
    /// What the database answered, a parameter is missing or unknown, or there are several rows.
    pub async fn fetch_optional(
        &self,
        statement: &Statement,
        params: &[(&str, Value)],
    ) -> Result<Option<Row>, Error> {
        at_most_one(statement, self.fetch_all(statement, params).await?)
    }

    /// Executes a whole transaction in one hop; answers how many rows each step changed. On any
    /// error nothing of it has taken effect, unless the class is [`Class::Gone`] or
    /// [`Class::Timeout`]: then it may have taken effect as a whole. Dropping the future leaves
    /// no transaction open.
    ///
    /// On SQLite a small batch runs on the calling thread when the writer is free: waking another
    /// thread would cost more than the commit.
    ///
    /// # Errors
    /// What the database answered, or a step changed another number of rows than it expects.
    pub async fn batch(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        batch.check()?;
        let (name, began) = (name_of(&batch), Instant::now());
        let done = match &self.backend {
            Backend::Sqlite(db) => db.batch(batch).await,
            Backend::Postgres(db) => db.batch(batch).await,
            Backend::Mysql(db) => db.batch(batch).await,
            Backend::Mssql(db) => db.batch(batch).await,
        };
        let rows = done.as_ref().map(|changed| changed.iter().sum());
        self.timings.note(&name, began, rows);
        done
    }

    /// Runs `work` in a transaction: committed when it answers `Ok`, rolled back when it answers
    /// an error or panics. It runs in a task of its own and goes on to its end even when the
    /// future returned here is dropped. On SQLite it holds the only writer, so it must not wait
    /// for anything but its own statements.
    ///
    /// ```ignore
    /// db.transact(|tx| Box::pin(async move {
    ///     let row = tx.fetch_optional(&select, &[("id", id.into())]).await?;
    ///     tx.execute(&update, &[("id", id.into())]).await
    /// })).await
    /// ```
    ///
    /// A statement that fails ends the transaction on every database: later ones are refused, and
    /// nothing is stored even when `work` answers `Ok`.
    ///
    /// # Errors
    /// Those of `work`; that of a statement in it which `work` did not hand on; and what the
    /// database answered to the commit.
    pub async fn transact<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, Error>> + Send + 'static,
    {
        let db = self.clone();
        let task = tokio::spawn(async move {
            let mut tx = match &db.backend {
                Backend::Sqlite(db) => Tx::sqlite(db.begin().await?),
                Backend::Postgres(db) => Tx::postgres(db.begin().await?),
                Backend::Mysql(db) => Tx::mysql(db.begin().await?),
                Backend::Mssql(db) => Tx::mssql(db.begin().await?),
            };
            tx.timed_by(Arc::clone(&db.timings));
            let done = work(&mut tx).await;
            match done {
                Ok(value) => tx.commit().await.map(|()| value),
                Err(error) => {
                    // The first error is the one to report; a failed rollback closes the
                    // connection, which rolls back as well.
                    let _ = tx.rollback().await;
                    Err(error)
                }
            }
        });
        task.await.unwrap_or_else(|error| {
            Err(Error::other(if error.is_panic() {
                "the work inside the transaction panicked; it was rolled back"
            } else {
                "the transaction was stopped because the program ends; it was rolled back"
            }))
        })
    }

    /// One consistent state of the whole database, to be read page by page for as long as that
    /// takes, while others write. It has a connection of its own.
    ///
    /// # Errors
    /// No connection, or a database in memory.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        match &self.backend {
            Backend::Sqlite(db) => Ok(Snapshot::sqlite(db.snapshot().await?)),
            Backend::Postgres(db) => Ok(Snapshot::begun(Tx::postgres(db.begin_snapshot().await?))),
            Backend::Mysql(db) => Ok(Snapshot::begun(Tx::mysql(db.begin_snapshot().await?))),
            Backend::Mssql(db) => {
                match Snapshot::mssql_versions(Tx::mssql(db.begin().await?)).await {
                    Ok(snapshot) => Ok(snapshot),
                    Err(versions) => Snapshot::mssql_locks(Tx::mssql(db.begin().await?))
                        .await
                        .map_err(|mut locks| {
                            let message = format!("{versions}; {}", locks.message);
                            locks.message = message;
                            locks
                        }),
                }
            }
        }
    }

    /// How busy its connections are.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        match &self.backend {
            Backend::Sqlite(db) => db.stats(),
            Backend::Postgres(db) => db.stats(),
            Backend::Mysql(db) => db.stats(),
            Backend::Mssql(db) => db.stats(),
        }
    }

    /// Whether its server can be reached, as far as this process has seen; asks nobody.
    #[must_use]
    pub fn health(&self) -> Health {
        match &self.backend {
            Backend::Postgres(db) => db.health(),
            Backend::Mssql(db) => db.health(),
            Backend::Mysql(db) => db.health(),
            Backend::Sqlite(_) => Health {
                pool: self.stats(),
                ..Health::default()
            },
        }
    }

    /// What statements took so far, by name, the longest first. Statements of snapshots and
    /// migrations are not among them.
    #[must_use]
    pub fn timings(&self) -> Vec<Timing> {
        self.timings.all()
    }

    /// From now on calls `tell` for every execution that took at least `slow`; zero is never. It is
    /// called where the statement's caller waits, so it must not take long. The first call counts,
    /// for this database and all its clones.
    pub fn tell_slow(&self, slow: Duration, tell: impl Fn(&SlowStatement) + Send + Sync + 'static) {
        self.timings.tell(slow, Box::new(tell));
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn ping(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(db) => db.ping().await,
            Backend::Postgres(db) => db.ping().await,
            Backend::Mysql(db) => db.ping().await,
            Backend::Mssql(db) => db.ping().await,
        }
    }

    /// Finishes what is queued and closes every connection; later calls fail.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(db) => db.close().await,
            Backend::Postgres(db) => db.close(),
            Backend::Mysql(db) => db.close(),
            Backend::Mssql(db) => db.close(),
        }
    }
}

/// Puts named values into the order of the statement's parameters.
pub(crate) fn bind(statement: &Statement, named: &[(&str, Value)]) -> Result<Vec<Value>, Error> {
    let fault = |problem| Err(Error::other(problem).of(statement.name_arc()));
    let unknown = |name: &str| !statement.params().iter().any(|known| known == name);
    if let Some((name, _)) = named.iter().find(|(name, _)| unknown(name)) {
        return fault(format!("the statement has no parameter `:{name}`"));
    }
    let mut values = Vec::with_capacity(statement.params().len());
    for param in statement.params() {
        match named.iter().find(|(name, _)| name == param) {
            Some((_, value)) => values.push(value.clone()),
            None => return fault(format!("the parameter `:{param}` has no value")),
        }
    }
    Ok(values)
}

/// The only row, or none.
pub(crate) fn at_most_one(statement: &Statement, rows: Vec<Row>) -> Result<Option<Row>, Error> {
    let count = rows.len();
    let mut rows = rows.into_iter();
    match (rows.next(), count) {
        (row, 0 | 1) => Ok(row),
        _ => Err(
            Error::other(format!("expected at most one row, got {count}")).of(statement.name_arc()),
        ),
    }
}
