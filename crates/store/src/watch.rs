//! Looking at a project's runs and flows: one run, its journal from any place on, the newest entries
//! of many runs, flows by name. Every statement has the project in its key.
use std::collections::HashMap;

use runstone_db::{Row as DbRow, Value};
use runstone_model::{
    ids::{FlowVersionId, ProjectId, RunId},
    time::Timestamp,
};
use uuid::Uuid;

use crate::{Error, RunRecord, SqlStore, StoredRow, cells::Cells, journal, run};

/// A version of a flow as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRecord {
    /// The flow's name.
    pub name: String,
    /// The version's id.
    pub id: FlowVersionId,
    /// The version's number.
    pub version: u32,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The canonical JSON; empty in lists.
    pub definition: Option<String>,
}

fn flow_record(row: DbRow, whole: bool) -> Result<FlowRecord, Error> {
    let mut cells = Cells::new("flow_versions", row);
    Ok(FlowRecord {
        name: cells.next()?,
        id: FlowVersionId(cells.next()?),
        version: cells.next()?,
        created_at: Timestamp(cells.next()?),
        definition: if whole { Some(cells.next()?) } else { None },
    })
}

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

    /// Those of `ids` that are runs of a project, in the order asked.
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

    /// The journal of a project's run from `after` on, at most `limit` rows. References to blobs
    /// stay unless `whole`.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn project_journal(
        &self,
        project: ProjectId,
        id: RunId,
        (after, limit): (u64, u32),
        whole: bool,
    ) -> Result<Vec<StoredRow>, Error> {
        let params = [
            ("run", id.0.into()),
            ("project", project.0.into()),
            ("after", journal::int(after)),
            ("limit", limit.into()),
        ];
        let rows = self
            .database()
            .fetch_all(&self.sql().journal_project_page, &params)
            .await?;
        let mut read = Vec::with_capacity(rows.len());
        for row in rows {
            let (of, row) = journal::read(row)?;
            if of == id {
                read.push(row);
            }
        }
        if whole {
            journal::resolve(self.database(), self.sql(), &mut read).await?;
        }
        Ok(read)
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

    /// A page of a project's flows after the name `after`, each with its newest version.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn flows(
        &self,
        project: ProjectId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<FlowRecord>, Error> {
        let params = [
            ("project", project.0.into()),
            ("after", after.into()),
            ("limit", limit.into()),
        ];
        self.all(&self.sql().flow_page, &params, |row| {
            flow_record(row, false)
        })
        .await
    }

    /// A page of a flow's versions before the number `before`, newest first.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn flow_versions(
        &self,
        project: ProjectId,
        name: &str,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<FlowRecord>, Error> {
        let params = [
            ("project", project.0.into()),
            ("name", name.into()),
            ("before", before.map_or(Value::Int(i64::MAX), Value::from)),
            ("limit", limit.into()),
        ];
        self.all(&self.sql().flow_versions, &params, |row| {
            flow_record(row, false)
        })
        .await
    }

    /// A flow's version of that number, or its newest.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn flow(
        &self,
        project: ProjectId,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<FlowRecord>, Error> {
        let mut params: Vec<(&str, Value)> =
            vec![("project", project.0.into()), ("name", name.into())];
        let statement = match version {
            None => &self.sql().flow_newest,
            Some(version) => {
                params.push(("version", version.into()));
                &self.sql().flow_numbered
            }
        };
        self.one(statement, &params, |row| flow_record(row, true))
            .await
    }

    /// Deletes a flow that no run is of; false when there is none or runs are of it.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn delete_flow(&self, project: ProjectId, name: &str) -> Result<bool, Error> {
        let params = [("project", project.0.into()), ("name", name.into())];
        let statement = &self.sql().flow_delete_unused;
        Ok(self.database().execute(statement, &params).await? > 0)
    }

    /// The smallest id that a thing made at `at` or later can have.
    #[must_use]
    pub fn first_id_at(at: Timestamp) -> Uuid {
        let millis = u128::try_from(at.0.max(0) / 1000).unwrap_or(0);
        Uuid::from_u128(millis << 80)
    }
}
