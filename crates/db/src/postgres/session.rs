//! An interactive transaction. Dropped before it is finished, its connection is thrown away and
//! the server rolls back.
use super::{Lease, batch, fault::classed};
use crate::{error::Error, row::Row, statement::Statement, value::Value};

#[derive(Debug)]
pub(crate) struct PostgresTx {
    lease: Lease,
}

impl PostgresTx {
    pub(super) fn new(lease: Lease) -> Self {
        Self { lease }
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        batch::execute_rows(self.lease.client(), statement, rows).await
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        batch::fetch_rows(self.lease.client(), statement, rows).await
    }

    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        self.lease
            .client()
            .batch_execute(sql)
            .await
            .map_err(|e| classed(&e))
    }

    pub(crate) async fn finish(self, commit: bool) -> Result<(), Error> {
        let sql = if commit { "COMMIT" } else { "ROLLBACK" };
        let done = self
            .lease
            .client()
            .batch_execute(sql)
            .await
            .map_err(|e| classed(&e));
        self.lease.settle(&done);
        done
    }
}
