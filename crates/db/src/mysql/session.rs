//! An interactive transaction. Dropped before it is finished, its connection is thrown away and
//! the server rolls back.
use super::{connect::Connector, run};
use crate::{error::Error, pool::Lease, row::Row, statement::Statement, value::Value};

#[derive(Debug)]
pub(crate) struct MysqlTx {
    lease: Lease<Connector>,
}

impl MysqlTx {
    pub(super) fn new(lease: Lease<Connector>) -> Self {
        Self { lease }
    }

    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        run::execute(self.lease.conn_mut(), statement, rows).await
    }

    pub(crate) async fn fetch(
        &mut self,
        statement: &Statement,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        run::fetch(self.lease.conn_mut(), statement, rows).await
    }

    pub(crate) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        run::control(self.lease.conn_mut(), sql).await
    }

    pub(crate) async fn finish(mut self, commit: bool) -> Result<(), Error> {
        let done = run::end(self.lease.conn_mut(), commit).await;
        self.lease.settle(&done);
        done
    }
}
