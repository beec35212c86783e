//! A read transaction on a connection and a thread of its own: neither the writer nor a reader of
//! the pool is kept busy by it. While it lasts, the write-ahead log cannot be emptied.
use super::{
    fault::classed,
    open::{self, Link, Place},
    work,
};
use crate::{error::Error, options::Options, row::Row, statement::Statement, value::Value};
use std::{
    sync::{Arc, mpsc},
    thread,
};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&Link) + Send>;

#[derive(Debug)]
pub(crate) struct SqliteSnapshot {
    jobs: mpsc::Sender<Job>,
}

impl SqliteSnapshot {
    pub(super) async fn begin(place: Arc<Place>, options: Options) -> Result<Self, Error> {
        let (jobs, asked) = mpsc::channel::<Job>();
        let (answer, answered) = oneshot::channel();
        let serve = move || {
            let begun = open::reader(&place, &options).and_then(|link| {
                link.unlimited();
                // BEGIN alone fixes no state: the first read does.
                link.connection
                    .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
                    .map_err(|e| classed(&e))?;
                Ok(link)
            });
            let link = match begun {
                Ok(link) => link,
                Err(error) => {
                    // Who asked may have gone away.
                    let _ = answer.send(Err(error));
                    return;
                }
            };
            if answer.send(Ok(())).is_ok() {
                while let Ok(job) = asked.recv() {
                    job(&link);
                }
            }
        };
        thread::Builder::new()
            .name("sqlite-snapshot".to_owned())
            .spawn(serve)
            .map_err(|e| Error::other(format!("no thread for an SQLite snapshot: {e}")))?;
        answered.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(Self { jobs })
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        let statement = statement.clone();
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |link| {
            let _ = answer.send(work::fetch(link, &statement, &values));
        });
        self.jobs.send(job).map_err(|_| Error::closed())?;
        answered.await.unwrap_or_else(|_| Err(Error::closed()))
    }
}
