//! Labels of runs: reading them, and finding runs by them. They are written with the run's first
//! commit (`committer`) and deleted with the run (`run`).
use runstone_model::ids::{ProjectId, RunId};

use crate::{Error, RunRecord, SqlStore, cells::Cells, run};

impl SqlStore {
    /// The labels of a project's run, by name.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn labels(
        &self,
        project: ProjectId,
        run: RunId,
    ) -> Result<Vec<(String, String)>, Error> {
        let params = [("project", project.0.into()), ("run", run.0.into())];
        let read = |row| {
            let mut cells = Cells::new("run_labels", row);
            Ok((cells.next()?, cells.next()?))
        };
        self.all(&self.sql().label_of_run, &params, read).await
    }

    /// A page of a project's runs with a label, newest first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn runs_with_label(
        &self,
        project: ProjectId,
        (name, value): (&str, &str),
        before: RunId,
        limit: u32,
    ) -> Result<Vec<RunRecord>, Error> {
        let params = [
            ("project", project.0.into()),
            ("name", name.into()),
            ("value", value.into()),
            ("before", before.0.into()),
            ("limit", limit.into()),
        ];
        let rows = self
            .database()
            .fetch_all(&self.sql().label_runs, &params)
            .await?;
        let records = run::records(self.database(), self.sql(), &run::run_ids(rows)?).await?;
        Ok(records
            .into_iter()
            .filter(|record| record.project == project)
            .collect())
    }
}
