//! Looking at a project's runs: one run or some, its journal from any place on, the newest entries
//! of many runs. Every statement has the project in its key.
use std::collections::HashMap;

use runstone_model::{
    ids::{ProjectId, RunId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, RunFilter, RunRecord, SqlStore, StoredRow, Walk, cells::Cells, journal, run};

impl SqlStore {
    /// One run of a project.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn project_run(
        &self,
        project: ProjectId,
        id: RunId,
    ) -> Result<Option<RunRecord>, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        let row = self
            .database()
            .fetch_optional(&self.sql().run_in_project, &params);
        let found = row.await?.map(run::record).transpose()?;
        Ok(found.filter(|found| found.project == project))
    }

    /// A page of runs without their inputs and outputs: of many at once they may be too large.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn runs_in_brief(&self, filter: RunFilter) -> Result<Vec<RunRecord>, Error> {
        let ids = run::list(self.database(), self.sql(), filter).await?;
        run::in_brief(self.database(), self.sql(), &ids).await
    }

    /// Those of `ids` that are runs of a project, in the order asked, without inputs and outputs.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn project_runs(
        &self,
        project: ProjectId,
        ids: &[RunId],
    ) -> Result<Vec<RunRecord>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let params = [("ids", run::id_list(ids)), ("project", project.0.into())];
        let found = self
            .all(&self.sql().run_of_project, &params, run::record)
            .await?;
        let of_project = found.into_iter().filter(|found| found.project == project);
        let mut by_id: HashMap<RunId, RunRecord> =
            of_project.map(|found| (found.id, found)).collect();
        Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }

    /// A page of the journal of a project's run. References to blobs stay unless `whole`.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn project_journal(
        &self,
        project: ProjectId,
        id: RunId,
        walk: &Walk<i64>,
        whole: bool,
    ) -> Result<Vec<StoredRow>, Error> {
        let params = [("run", id.0.into()), ("project", project.0.into())];
        let pages = &self.sql().journal_project_page;
        let rows = self.page(pages, walk, params, journal::read).await?;
        let of_run = rows.into_iter().filter(|(of, _)| *of == id);
        let mut read: Vec<StoredRow> = of_run.map(|(_, row)| row).collect();
        if whole {
            journal::resolve(self.database(), self.sql(), &mut read).await?;
        }
        Ok(read)
    }

    /// How many entries the journal of a project's run has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_journal(&self, project: ProjectId, id: RunId) -> Result<u64, Error> {
        let params = [("run", id.0.into()), ("project", project.0.into())];
        self.found(&self.sql().journal_count, &params).await
    }

    /// The newest entry's place in the journal of each of `runs` that has one.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn journal_heads(&self, runs: &[RunId]) -> Result<Vec<(RunId, u64)>, Error> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        let params = [("ids", run::id_list(runs))];
        let rows = self
            .database()
            .fetch_all(&self.sql().journal_heads, &params)
            .await?;
        let read = rows.into_iter().map(|row| {
            let mut cells = Cells::new("journal", row);
            Ok((RunId(cells.next()?), cells.next()?))
        });
        read.collect()
    }

    /// How many steps of a project's run are over.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_steps(&self, project: ProjectId, id: RunId) -> Result<u64, Error> {
        let params = [("run", id.0.into()), ("project", project.0.into())];
        self.found(&self.sql().journal_steps, &params).await
    }

    /// When a thing with this id was made, to the millisecond.
    #[must_use]
    pub fn time_of(id: Uuid) -> Timestamp {
        let millis = i64::try_from(id.as_u128() >> 80).unwrap_or(0);
        Timestamp(millis.saturating_mul(1000))
    }

    /// The smallest id that a thing made at `at` or later can have.
    #[must_use]
    pub fn first_id_at(at: Timestamp) -> Uuid {
        let millis = u128::try_from(at.0.max(0) / 1000).unwrap_or(0);
        Uuid::from_u128(millis << 80)
    }
}
