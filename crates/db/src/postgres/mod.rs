//! Not built yet.
use crate::{
    batch::Batch, database::PoolStats, error::Error, options::Options, row::Row,
    statement::Statement, value::Value,
};
#[derive(Debug)]
pub(crate) struct Postgres {}
#[derive(Debug)]
pub(crate) struct PostgresTx {}
impl Postgres {
    pub(crate) async fn connect(_url: &str, _options: Options) -> Result<Self, Error> {
        Err(Error::other("not built yet"))
    }
    pub(crate) async fn execute(&self, _: &Statement, _: Vec<Value>) -> Result<u64, Error> {
        Err(Error::closed())
    }
    pub(crate) async fn fetch(&self, _: &Statement, _: Vec<Value>) -> Result<Vec<Row>, Error> {
        Err(Error::closed())
    }
    pub(crate) async fn batch(&self, _: Batch) -> Result<Vec<u64>, Error> {
        Err(Error::closed())
    }
    pub(crate) async fn begin(&self) -> Result<PostgresTx, Error> {
        Err(Error::closed())
    }
    pub(crate) fn stats(&self) -> PoolStats {
        PoolStats::default()
    }
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        Err(Error::closed())
    }
    pub(crate) fn close(&self) {}
}
impl PostgresTx {
    pub(crate) async fn execute(&mut self, _: &Statement, _: &[Vec<Value>]) -> Result<u64, Error> {
        Err(Error::closed())
    }
    pub(crate) async fn fetch(
        &mut self,
        _: &Statement,
        _: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        Err(Error::closed())
    }
    pub(crate) async fn raw(&mut self, _: &str) -> Result<(), Error> {
        Err(Error::closed())
    }
    pub(crate) async fn finish(self, _: bool) -> Result<(), Error> {
        Err(Error::closed())
    }
}
