//! The store on a real database: hands each verb to the aggregate it belongs to.
use std::{collections::BTreeSet, sync::Arc};

use futures::future::BoxFuture;
use runstone_db::{Database, Dialect, Error as DbError, Health, PoolStats, Statement};
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId, ServerId},
    time::Timestamp,
};

use crate::{
    Claim, Claimed, Commit, Error, FlowVersion, LoadedRun, NewFlow, ProjectRecord, ProjectWrite,
    Reopen, RunFilter, RunRecord, Store, StoredRow,
    catalog::{Catalog, SOURCES},
    claim,
    committer::{CommitStats, Committer},
    flow, journal, load,
    open::EngineLock,
    project::{self, NewProject},
    run, server,
    together::Together,
};

/// The store on SQLite or PostgreSQL. See [`SqlStore::open`].
#[derive(Debug)]
pub struct SqlStore {
    db: Database,
    sql: Arc<Catalog>,
    committer: Committer,
    pub(crate) projects: Together<ProjectId, Option<ProjectRecord>>,
    pub(crate) new_projects: Together<NewProject, ProjectWrite>,
    _lock: Option<EngineLock>,
}

impl SqlStore {
    pub(crate) fn new(db: Database, sql: Arc<Catalog>, lock: Option<EngineLock>) -> Self {
        let committer = Committer::new(db.clone(), Arc::clone(&sql));
        let projects = Together::new(&db, &sql, project::get_together);
        let new_projects = Together::new(&db, &sql, project::insert_together);
        Self {
            db,
            sql,
            committer,
            projects,
            new_projects,
            _lock: lock,
        }
    }

    /// The database beneath.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.db
    }

    pub(crate) fn sql(&self) -> &Arc<Catalog> {
        &self.sql
    }

    /// Whether it holds the engine's lock: then no other process executes runs on it.
    pub(crate) fn is_locked(&self) -> bool {
        self._lock.is_some()
    }

    /// How busy its connections are.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.db.stats()
    }

    /// What the group commit carried so far, and what waits for it.
    #[must_use]
    pub fn commit_stats(&self) -> CommitStats {
        self.committer.stats()
    }

    /// Whether its server can be reached, as far as this process has seen; asks nobody.
    #[must_use]
    pub fn health(&self) -> Health {
        self.db.health()
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn ping(&self) -> Result<(), DbError> {
        self.db.ping().await
    }

    /// The servers that were heard of at `heard_since` or later.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn alive(&self, heard_since: Timestamp) -> Result<BTreeSet<ServerId>, Error> {
        server::alive(&self.db, &self.sql, heard_since).await
    }

    /// Deletes those of `runs` that have ended, with everything that belongs to them; answers how
    /// many. Unfinished ones stay.
    ///
    /// # Errors
    /// What the database answered; nothing has changed then.
    pub async fn delete_runs(&self, runs: &[RunId]) -> Result<u64, Error> {
        run::delete(&self.db, &self.sql, runs).await
    }

    /// A statement (`run.insert`) as `dialect` gets it; None when there is none of that name.
    #[must_use]
    pub fn rendered(name: &str, dialect: Dialect) -> Option<Statement> {
        SOURCES
            .iter()
            .find(|source| source.name == name)?
            .render(dialect)
            .ok()
    }

    /// The names of all statements.
    pub fn statement_names() -> impl Iterator<Item = &'static str> {
        SOURCES.iter().map(|source| source.name)
    }

    /// Closes the connections; every later call fails.
    pub async fn close(&self) {
        self.db.close().await;
    }
}

impl Store for SqlStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.committer.commit(commit))
    }

    fn put_flow(&self, flow: NewFlow) -> BoxFuture<'_, Result<FlowVersion, Error>> {
        Box::pin(flow::put(&self.db, &self.sql, flow))
    }

    fn flow_version(&self, id: FlowVersionId) -> BoxFuture<'_, Result<Option<FlowVersion>, Error>> {
        Box::pin(flow::version(&self.db, &self.sql, id))
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Vec<Claimed>, Error>> {
        Box::pin(claim::claim(&self.db, &self.sql, claim))
    }

    fn load<'a>(&'a self, runs: &'a [RunId]) -> BoxFuture<'a, Result<Vec<LoadedRun>, Error>> {
        Box::pin(load::load(&self.db, &self.sql, runs))
    }

    fn heartbeat(
        &self,
        server: ServerId,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>> {
        Box::pin(server::heartbeat(&self.db, &self.sql, server, now))
    }

    fn release(&self, server: ServerId) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(server::release(&self.db, &self.sql, server))
    }

    fn owned(
        &self,
        server: ServerId,
        after: Option<RunId>,
    ) -> BoxFuture<'_, Result<Vec<RunId>, Error>> {
        Box::pin(server::owned(&self.db, &self.sql, server, after))
    }

    fn next_wake(&self) -> BoxFuture<'_, Result<Option<Timestamp>, Error>> {
        Box::pin(run::next_wake(&self.db, &self.sql))
    }

    fn request_cancel(&self, run: RunId, now: Timestamp) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(run::request_cancel(&self.db, &self.sql, run, now))
    }

    fn reopen(&self, reopen: Reopen) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(run::reopen(&self.db, &self.sql, reopen))
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<RunRecord>, Error>> {
        Box::pin(async move { Ok(run::records(&self.db, &self.sql, &[id]).await?.pop()) })
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<RunRecord>, Error>> {
        Box::pin(async move {
            let ids = run::list(&self.db, &self.sql, filter).await?;
            run::records(&self.db, &self.sql, &ids).await
        })
    }

    fn journal(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<StoredRow>, Error>> {
        Box::pin(async move {
            let mut rows = journal::page(&self.db, &self.sql, run, after, limit).await?;
            journal::resolve(&self.db, &self.sql, &mut rows).await?;
            Ok(rows)
        })
    }

    fn project_exists(&self, id: ProjectId) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(async move {
            let params = [("id", id.0.into())];
            Ok(self
                .db
                .fetch_optional(&self.sql.project_exists, &params)
                .await?
                .is_some())
        })
    }
}
