//! Looking at a project's flows: by name, by version. Every statement has the project in its key.
use runstone_db::{Row as DbRow, Value};
use runstone_model::{
    ids::{FlowVersionId, ProjectId},
    time::Timestamp,
};

use crate::{Error, SqlStore, Walk, cells::Cells};

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

fn brief(row: DbRow) -> Result<FlowRecord, Error> {
    flow_record(row, false)
}

impl SqlStore {
    /// A page of a project's flows by name, each with its newest version.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn flows(
        &self,
        project: ProjectId,
        walk: &Walk<String>,
    ) -> Result<Vec<FlowRecord>, Error> {
        let params = [("project", project.0.into())];
        self.page(&self.sql().flow_page, walk, params, brief).await
    }

    /// A page of a flow's versions by number.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn flow_versions(
        &self,
        project: ProjectId,
        name: &str,
        walk: &Walk<i64>,
    ) -> Result<Vec<FlowRecord>, Error> {
        let params = [("project", project.0.into()), ("name", name.into())];
        self.page(&self.sql().flow_versions, walk, params, brief)
            .await
    }

    /// How many versions a flow has; 0 when there is no such flow.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_flow_versions(&self, project: ProjectId, name: &str) -> Result<u64, Error> {
        let params = [("project", project.0.into()), ("name", name.into())];
        self.found(&self.sql().flow_count_versions, &params).await
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
}
