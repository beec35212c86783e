//! Deleting a project for good: in portions that every database can do within its time for a
//! statement, and only for as long as the project stays deleted.
use runstone_db::{Batch, Class};
use runstone_model::ids::{ProjectId, RunId};
use uuid::Uuid;

use super::Purged;
use crate::{Error, SqlStore, Walk, cells::Cells, run};

/// Runs deleted at a time.
const RUNS: u32 = 500;
/// Documents deleted at a time, with their versions.
const DOCUMENTS: u32 = 50;

impl SqlStore {
    /// Deletes a softly deleted project with everything in it. A crash in the middle leaves it
    /// deleted softly; the next purge goes on. A project that is restored in the middle stays,
    /// with what was not deleted yet.
    ///
    /// # Errors
    /// What the database answered; what was deleted before stays deleted.
    pub async fn purge_project(&self, id: ProjectId) -> Result<Purged, Error> {
        if !self.is_deleted(id).await? {
            return Ok(Purged::NotDeleted);
        }
        let unfinished = self.active_runs(id).await?;
        if unfinished > 0 {
            return Ok(Purged::Unfinished(unfinished));
        }
        loop {
            let runs = self.page_of_runs(id).await?;
            if runs.is_empty() {
                break;
            }
            if !self.is_deleted(id).await? {
                return Ok(Purged::NotDeleted);
            }
            if self.delete_runs(&runs).await? == 0 {
                return Ok(Purged::Unfinished(self.active_runs(id).await?));
            }
        }
        while self.purge_portion(id).await? {
            if !self.is_deleted(id).await? {
                return Ok(Purged::NotDeleted);
            }
        }
        let sql = self.sql();
        let mut batch = Batch::new();
        batch.push(&sql.project_delete_flows, vec![vec![id.0.into()]], None);
        batch.push(&sql.project_purge, vec![vec![id.0.into()]], Some(1));
        match self.database().batch(batch).await {
            Ok(_) => Ok(Purged::Gone),
            Err(error) if error.class == Class::Expectation => Ok(Purged::NotDeleted),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_deleted(&self, id: ProjectId) -> Result<bool, Error> {
        let found = self.project(id).await?;
        Ok(found.is_some_and(|project| project.deleted_at.is_some()))
    }

    async fn page_of_runs(&self, id: ProjectId) -> Result<Vec<RunId>, Error> {
        let page = &self.sql().run_ids_by_project;
        let params = [("project", id.0.into())];
        run::ids_on(self.database(), page, &Walk::down(RUNS), params).await
    }

    /// Deletes some of what may be too much for the cascade of the project's own row: messages,
    /// documents, bytes of exports. False when there is none left.
    async fn purge_portion(&self, id: ProjectId) -> Result<bool, Error> {
        if let Some(thread) = self.threads(id, &Walk::down(1)).await?.pop() {
            self.delete_thread(id, thread.id).await?;
            return Ok(true);
        }
        if let Some(export) = self.exports(id, &Walk::down(1)).await?.pop() {
            self.delete_export(id, export.id).await?;
            return Ok(true);
        }
        let params = [("project", id.0.into()), ("limit", DOCUMENTS.into())];
        let page = &self.sql().document_ids;
        let rows = self.database().fetch_all(page, &params).await?;
        let ids = rows.into_iter();
        let ids = ids.map(|row| Cells::new("documents", row).next::<Uuid>());
        let ids = ids.collect::<Result<Vec<Uuid>, Error>>()?;
        if ids.is_empty() {
            return Ok(false);
        }
        let params = [("project", id.0.into()), ("ids", ids.into_iter().collect())];
        let delete = &self.sql().document_delete;
        self.database().execute(delete, &params).await?;
        Ok(true)
    }
}
