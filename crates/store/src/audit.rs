//! The audit log: append-only, written in batches.
use runstone_db::{Batch, Row as DbRow, Value};
use runstone_model::{ids::ProjectId, time::Timestamp};
use uuid::Uuid;

use crate::{Error, SqlStore, Total, Walk, cells::Cells};

/// Entries that are counted at most.
const COUNTED: u32 = 1_000_000;

/// One thing that somebody did, or was not let do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its id, in order of time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// The project that was named.
    pub project: Option<Uuid>,
    /// Who.
    pub actor: String,
    /// The operation.
    pub action: String,
    /// The path.
    pub target: String,
    /// The HTTP status of the answer.
    pub status: i32,
    /// Names the request in the logs.
    pub trace_id: String,
    /// Where it came from.
    pub address: String,
}

fn record(row: DbRow) -> Result<AuditRecord, Error> {
    let mut cells = Cells::new("audit", row);
    Ok(AuditRecord {
        id: cells.next()?,
        at: Timestamp(cells.next()?),
        project: cells.next()?,
        actor: cells.next()?,
        action: cells.next()?,
        target: cells.next()?,
        status: {
            let status: i64 = cells.next()?;
            i32::try_from(status).unwrap_or(0)
        },
        trace_id: cells.next()?,
        address: cells.next()?,
    })
}

impl SqlStore {
    /// Appends entries, in one transaction.
    ///
    /// # Errors
    /// What the database answered; none is there then.
    pub async fn insert_audit(&self, entries: Vec<AuditRecord>) -> Result<(), Error> {
        let rows = entries.into_iter().map(|entry| -> Vec<Value> {
            vec![
                entry.id.into(),
                entry.at.0.into(),
                entry.project.into(),
                entry.actor.into(),
                entry.action.into(),
                entry.target.into(),
                i64::from(entry.status).into(),
                entry.trace_id.into(),
                entry.address.into(),
            ]
        });
        let mut batch = Batch::new();
        batch.push(&self.sql().audit_insert, rows.collect(), None);
        self.database().batch(batch).await?;
        Ok(())
    }

    /// A page of the log, of one project or of all.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn audit(
        &self,
        project: Option<ProjectId>,
        walk: &Walk<Uuid>,
    ) -> Result<Vec<AuditRecord>, Error> {
        let pages = match project {
            None => &self.sql().audit_page,
            Some(_) => &self.sql().audit_page_of_project,
        };
        let params = project.map(|project| ("project", project.0.into()));
        self.page(pages, walk, params, record).await
    }

    /// How many entries that log has, as long as they are not too many to count.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_audit(&self, project: Option<ProjectId>) -> Result<Total, Error> {
        let statement = match project {
            None => &self.sql().audit_count,
            Some(_) => &self.sql().audit_count_of_project,
        };
        let mut params: Vec<(&str, Value)> = vec![("limit", (COUNTED + 1).into())];
        params.extend(project.map(|project| ("project", project.0.into())));
        let found = self.found(statement, &params).await?;
        Ok(Total::of(found, found, COUNTED))
    }
}
