//! Labels of runs: reading them, and finding runs by them. They are written with the run's first
//! commit (`committer`) and deleted with the run (`run`).
use std::collections::HashMap;

use runstone_model::ids::{ProjectId, RunId};

use crate::{Error, RunRecord, SqlStore, Walk, cells::Cells, run};

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

    /// A page of a project's runs with a label, without their inputs and outputs.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn runs_with_label(
        &self,
        project: ProjectId,
        (name, value): (&str, &str),
        walk: &Walk<RunId>,
    ) -> Result<Vec<RunRecord>, Error> {
        let params = [
            ("project", project.0.into()),
            ("name", name.into()),
            ("value", value.into()),
        ];
        let (db, sql) = (self.database(), self.sql());
        let ids = run::ids_on(db, &sql.label_runs, walk, params).await?;
        let records = run::in_brief(db, sql, &ids).await?;
        Ok(records
            .into_iter()
            .filter(|record| record.project == project)
            .collect())
    }

    /// The values of the labels of some of a project's runs, by run.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn label_values(
        &self,
        project: ProjectId,
        runs: &[RunId],
    ) -> Result<HashMap<RunId, Vec<String>>, Error> {
        let mut values: HashMap<RunId, Vec<String>> = HashMap::new();
        if runs.is_empty() {
            return Ok(values);
        }
        let params = [("project", project.0.into()), ("ids", run::id_list(runs))];
        let read = |row| {
            let mut cells = Cells::new("run_labels", row);
            Ok((RunId(cells.next()?), cells.next()?))
        };
        for (run, value) in self.all(&self.sql().label_of_runs, &params, read).await? {
            values.entry(run).or_default().push(value);
        }
        Ok(values)
    }
}
