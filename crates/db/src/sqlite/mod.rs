//! SQLite: one writing connection (see [`writer`]) and a few reading ones. Whole transactions run
//! as closures on one thread; statements never hop one by one.
mod fault;
mod held;
mod open;
mod reader;
mod session;
mod snapshot;
mod work;
mod writer;

use crate::{
    batch::Batch, database::PoolStats, error::Error, options::Options, row::Row,
    statement::Statement, url, value::Value,
};
use reader::Readers;
pub(crate) use session::SqliteTx;
pub(crate) use snapshot::SqliteSnapshot;
use std::sync::Arc;
use writer::Writer;

/// A batch with at most so many executions may run on the calling thread. Measured: beyond, the
/// time that the caller's thread is kept from other work outweighs two thread wakes.
const INLINE_ROWS: usize = 16;

#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: Writer,
    /// None for a database in memory: it lives in one connection.
    readers: Option<Readers>,
    options: Options,
}

impl Sqlite {
    pub(crate) async fn open(url: &str, options: Options) -> Result<Self, Error> {
        let (path, options) = url::file(url.strip_prefix("sqlite:").unwrap_or(url), &options)?;
        let place = Arc::new(open::Place::parse(path)?);
        let opening = (Arc::clone(&place), options.clone());
        let link = tokio::task::spawn_blocking(move || open::writer(&opening.0, &opening.1))
            .await
            .map_err(|_| Error::other("opening the database file was interrupted"))??;
        let readers = place
            .is_file()
            .then(|| Readers::new(Arc::clone(&place), options.clone()));
        let writer = Writer::start(link)?;
        Ok(Self {
            writer,
            readers,
            options,
        })
    }

    pub(crate) async fn execute(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<u64, Error> {
        let statement = statement.clone();
        let rows = vec![values];
        self.writer
            .run(true, move |link| work::execute(link, &statement, &rows))
            .await
    }

    pub(crate) async fn fetch(
        &self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let owned = statement.clone();
        let work = move |link: &open::Link| work::fetch(link, &owned, &values);
        match &self.readers {
            Some(readers) if !statement.writes() => readers.run(work).await,
            _ => self.writer.run(true, work).await,
        }
    }

    pub(crate) async fn batch(&self, batch: Batch) -> Result<Vec<u64>, Error> {
        let small = batch.rows() <= INLINE_ROWS;
        self.writer
            .run(small, move |link| work::batch(link, &batch))
            .await
    }

    pub(crate) async fn begin(&self) -> Result<SqliteTx, Error> {
        SqliteTx::begin(&self.writer, self.options.statement_timeout).await
    }

    pub(crate) async fn snapshot(&self) -> Result<SqliteSnapshot, Error> {
        let Some(readers) = &self.readers else {
            return Err(Error::other(
                "a database in memory has one connection only, which must go on writing; \
                 use a file",
            ));
        };
        SqliteSnapshot::begin(readers.place(), self.options.clone()).await
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let readers = self
            .readers
            .as_ref()
            .map(Readers::stats)
            .unwrap_or_default();
        let writer = self.writer.stats();
        PoolStats {
            max: readers.max + writer.max,
            open: readers.open + writer.open,
            in_use: readers.in_use + writer.in_use,
            idle: readers.idle + writer.idle,
            waiting: readers.waiting + writer.waiting,
            created: readers.created + writer.created,
            reused: readers.reused + writer.reused,
            wait_us: readers.wait_us + writer.wait_us,
            wait_max_us: readers.wait_max_us.max(writer.wait_max_us),
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        match &self.readers {
            Some(readers) => readers.run(work::ping).await,
            None => self.writer.run(true, work::ping).await,
        }
    }

    pub(crate) async fn close(&self) {
        // The readers first: the last connection to close empties the write-ahead log.
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        self.writer.close().await;
    }
}
