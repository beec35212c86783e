//! SQL Server: its place behind the seam. Nothing connects yet, so there are no values of these types.
use crate::{
    batch::Batch,
    database::PoolStats,
    error::{Class, Error},
    options::Options,
    row::Row,
    statement::Statement,
    value::Value,
};

#[derive(Debug)]
pub(crate) enum Mssql {}

impl Mssql {
    pub(crate) async fn connect(_url: &str, _options: Options) -> Result<Self, Error> {
        Err(Error::new(
            Class::Unavailable,
            "`mssql` databases are not supported yet; use `sqlite:FILE` or \
             `postgres://user@host/database`",
        ))
    }

    pub(crate) async fn execute(&self, _: &Statement, _: Vec<Value>) -> Result<u64, Error> {
        match *self {}
    }

    pub(crate) async fn fetch(&self, _: &Statement, _: Vec<Value>) -> Result<Vec<Row>, Error> {
        match *self {}
    }

    pub(crate) async fn batch(&self, _: Batch) -> Result<Vec<u64>, Error> {
        match *self {}
    }

    pub(crate) async fn begin(&self) -> Result<MssqlTx, Error> {
        match *self {}
    }

    pub(crate) fn stats(&self) -> PoolStats {
        match *self {}
    }

    pub(crate) async fn ping(&self) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) fn close(&self) {
        match *self {}
    }
}

/// An open transaction. Dropped before it is finished, its connection is thrown away.
#[derive(Debug)]
pub(crate) enum MssqlTx {}

impl MssqlTx {
    pub(crate) async fn execute(&mut self, _: &Statement, _: &[Vec<Value>]) -> Result<u64, Error> {
        match *self {}
    }

    pub(crate) async fn fetch(
        &mut self,
        _: &Statement,
        _: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        match *self {}
    }

    pub(crate) async fn raw(&mut self, _sql: &str) -> Result<(), Error> {
        match *self {}
    }

    pub(crate) async fn finish(self, _commit: bool) -> Result<(), Error> {
        match self {}
    }
}
