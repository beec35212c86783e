//! An interactive transaction: the writer's thread holds the connection and takes one operation
//! after the other until it is told to finish, or nobody is there any more.
use super::{fault::classed, open::Link, work, writer::Writer};
use crate::{
    error::{Class, Error},
    row::Row,
    statement::Statement,
    value::Value,
};
use std::{sync::mpsc, time::Duration};
use tokio::sync::oneshot;

enum Op {
    Work(Box<dyn FnOnce(&Link) + Send>),
    Finish {
        commit: bool,
        done: oneshot::Sender<Result<(), Error>>,
    },
}

#[derive(Debug)]
pub(crate) struct SqliteTx {
    ops: mpsc::Sender<Op>,
}

impl SqliteTx {
    /// Waits for the writer and begins. The writer gives up on a transaction that asks for
    /// nothing for `patience`.
    pub(super) async fn begin(writer: &Writer, patience: Duration) -> Result<Self, Error> {
        let (ops, asked) = mpsc::channel();
        let (answer, answered) = oneshot::channel();
        writer.queue(Box::new(move |link| {
            let begun = link.in_place().and_then(|()| {
                link.wait_for_locks(true)?;
                work::begin(link)
            });
            let ready = begun.is_ok();
            if answer.send(begun).is_ok() && ready {
                serve(link, &asked, patience);
            }
            work::rollback(link);
        }))?;
        answered.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(Self { ops })
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, Error> {
        let statement = statement.clone();
        self.ask(move |link| work::execute(link, &statement, &rows))
            .await
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        rows: Vec<Vec<Value>>,
    ) -> Result<Vec<Row>, Error> {
        let statement = statement.clone();
        self.ask(move |link| {
            let mut found = Vec::new();
            for values in &rows {
                work::fetch_into(link, &statement, values, &mut found)
                    .map_err(|error| error.of(statement.name_arc()))?;
            }
            Ok(found)
        })
        .await
    }

    /// Takes as long as it takes.
    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        let sql = sql.to_owned();
        self.ask(move |link| {
            link.unlimited();
            link.connection.execute_batch(&sql).map_err(|e| classed(&e))
        })
        .await
    }

    pub(crate) async fn finish(self, commit: bool) -> Result<(), Error> {
        let (done, finished) = oneshot::channel();
        self.ops
            .send(Op::Finish { commit, done })
            .map_err(|_| gone())?;
        finished.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Link) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let op = Op::Work(Box::new(move |link| {
            link.limited();
            let _ = answer.send(work(link));
        }));
        self.ops.send(op).map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

fn serve(link: &Link, asked: &mpsc::Receiver<Op>, patience: Duration) {
    // An error ends it: nobody is there any more, or the work waits for something else.
    while let Ok(op) = asked.recv_timeout(patience) {
        match op {
            Op::Work(work) => work(link),
            Op::Finish { commit, done } => {
                let finished = if commit {
                    link.unlimited();
                    work::commit(link)
                } else {
                    work::rollback(link);
                    Ok(())
                };
                let _ = done.send(finished);
                return;
            }
        }
    }
}

fn gone() -> Error {
    Error::new(
        Class::Timeout,
        "the transaction did nothing for too long, or the database was closed; it was rolled back",
    )
}
