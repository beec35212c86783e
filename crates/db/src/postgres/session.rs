//! An interactive transaction. Dropped before it is finished, its connection is thrown away and
//! the server rolls back.
use super::{Lease, Patience, batch, control, settle};
use crate::{
    error::{Class, Error},
    row::Row,
    statement::Statement,
    value::Value,
};

#[derive(Debug)]
pub(crate) struct PostgresTx {
    lease: Lease,
    patience: Patience,
    /// After it nothing more is to be expected of the connection.
    broken: Option<Error>,
}

impl PostgresTx {
    pub(super) fn new(lease: Lease, patience: Patience) -> Self {
        Self {
            lease,
            patience,
            broken: None,
        }
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        let work = batch::execute_rows(self.lease.conn(), statement, rows);
        let done = self.patience.with(work).await;
        self.noted(done)
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        let work = batch::fetch_rows(self.lease.conn(), statement, rows);
        let done = self.patience.with(work).await;
        self.noted(done)
    }

    /// Takes as long as the server allows.
    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        let done = control(&self.lease, sql).await;
        self.noted(done)
    }

    pub(crate) async fn finish(self, commit: bool) -> Result<(), Error> {
        if let Some(error) = self.broken {
            settle(self.lease, &Err::<(), _>(error.clone()));
            return Err(error);
        }
        let sql = if commit { "COMMIT" } else { "ROLLBACK" };
        let done = self.patience.with(control(&self.lease, sql)).await;
        settle(self.lease, &done);
        done
    }

    fn noted<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &done {
            let ends = matches!(
                error.class,
                Class::Gone | Class::Timeout | Class::Unavailable
            );
            if ends || super::fault::is_stale_plan(error) {
                self.broken = Some(error.clone());
            }
        }
        done
    }
}
