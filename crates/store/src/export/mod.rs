//! Exports: archives of a project's documents, built by any server from its own database and kept
//! there for a day, so that any server can hand them out.
mod archive;
mod build;

use runstone_db::Row as DbRow;
use runstone_model::{
    ids::{ExportId, ProjectId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use build::Built;

use crate::{Error, SqlStore, Walk, cells::Cells};

/// Bytes of every piece of an archive but the last.
pub const CHUNK_BYTES: usize = 256 << 10;
/// How long an archive can be downloaded, in milliseconds: 24 hours.
pub const KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// Where an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportStatus {
    /// Nobody builds it yet.
    Pending,
    /// Being built.
    Running,
    /// Can be downloaded.
    Ready,
    /// Could not be built.
    Failed,
    /// Its time is over; the bytes are gone.
    Expired,
}

impl ExportStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Ready,
        Self::Failed,
        Self::Expired,
    ];

    /// The name in SQL and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Which documents are in it; deleted ones never are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only of this type.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only in exactly this language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// An export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// Its project.
    pub project: ProjectId,
    /// Where it stands.
    pub status: ExportStatus,
    /// How often building it was begun.
    pub attempt: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was built, or given up.
    pub finished_at: Option<Timestamp>,
    /// Until when it can be downloaded.
    pub expires_at: Option<Timestamp>,
    /// Documents in it, so far.
    pub documents: i64,
    /// Pieces, so far.
    pub chunks: i64,
    /// Bytes, so far.
    pub bytes: i64,
    /// SHA-256 of the archive, in hex, once it is built.
    pub sha256: Option<String>,
    /// How often it was downloaded.
    pub download_count: i64,
    /// What was asked for.
    pub selection: Selection,
    /// Why it could not be built.
    pub error: Option<String>,
}

fn export(row: DbRow) -> Result<Export, Error> {
    let mut cells = Cells::new("exports", row);
    Ok(Export {
        id: ExportId(cells.next()?),
        project: ProjectId(cells.next()?),
        status: {
            let name: String = cells.next()?;
            let unknown = || cells.corrupt(format!("no status is called `{name}`"));
            ExportStatus::from_name(&name).ok_or_else(unknown)?
        },
        attempt: cells.next()?,
        created_at: Timestamp(cells.next()?),
        finished_at: cells.next::<Option<i64>>()?.map(Timestamp),
        expires_at: cells.next::<Option<i64>>()?.map(Timestamp),
        documents: cells.next()?,
        chunks: cells.next()?,
        bytes: cells.next()?,
        sha256: cells.next()?,
        download_count: cells.next()?,
        selection: {
            let text: String = cells.next()?;
            serde_json::from_str(&text).map_err(|error| cells.corrupt(error.to_string()))?
        },
        error: cells.next()?,
    })
}

fn of_project(row: DbRow, project: ProjectId) -> Result<Export, Error> {
    let export = export(row)?;
    if export.project == project {
        Ok(export)
    } else {
        Err(Error::Corrupt {
            place: format!("exports, {}", export.id),
            message: "a row of another project".to_owned(),
        })
    }
}

impl SqlStore {
    /// Asks for an export; [`Self::build_export`] builds it.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn create_export(
        &self,
        project: ProjectId,
        id: ExportId,
        selection: &Selection,
        now: Timestamp,
    ) -> Result<(), Error> {
        let selection =
            serde_json::to_string(selection).map_err(|e| Error::Other(e.to_string()))?;
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("now", now.0.into()),
            ("selection", selection.into()),
        ];
        self.database()
            .execute(&self.sql().export_insert, &params)
            .await?;
        Ok(())
    }

    /// An export of a project.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn export(&self, project: ProjectId, id: ExportId) -> Result<Option<Export>, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        self.one(&self.sql().export_get, &params, |row| {
            of_project(row, project)
        })
        .await
    }

    /// A page of a project's exports.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn exports(
        &self,
        project: ProjectId,
        walk: &Walk<ExportId>,
    ) -> Result<Vec<Export>, Error> {
        let params = [("project", project.0.into())];
        self.page(&self.sql().export_page, walk, params, |row| {
            of_project(row, project)
        })
        .await
    }

    /// How many exports a project has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_exports(&self, project: ProjectId) -> Result<u64, Error> {
        let params = [("project", project.0.into())];
        self.found(&self.sql().export_count, &params).await
    }

    /// Removes an export with its bytes; false when there is none.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn delete_export(&self, project: ProjectId, id: ExportId) -> Result<bool, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        Ok(self
            .database()
            .execute(&self.sql().export_delete, &params)
            .await?
            > 0)
    }

    /// Piece `seq`, from 0, of an archive that can be downloaded still.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn export_chunk(
        &self,
        project: ProjectId,
        id: ExportId,
        seq: i64,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("seq", seq.into()),
            ("now", now.0.into()),
        ];
        self.one(&self.sql().export_chunk, &params, |row| {
            Cells::new("export_chunks", row).next()
        })
        .await
    }

    /// Counts a download; false when there is nothing to download any more.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_download(
        &self,
        project: ProjectId,
        id: ExportId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("now", now.0.into()),
        ];
        Ok(self
            .database()
            .execute(&self.sql().export_count_download, &params)
            .await?
            > 0)
    }

    /// Removes the bytes of up to `limit` archives whose time is over; answers how many. Safe to run
    /// twice.
    ///
    /// # Errors
    /// What the database answered; what was removed before stays removed.
    pub async fn expire_exports(&self, now: Timestamp, limit: u32) -> Result<usize, Error> {
        let sql = self.sql();
        let params = [("now", now.0.into()), ("limit", limit.into())];
        let rows = self
            .database()
            .fetch_all(&sql.export_expired, &params)
            .await?;
        let count = rows.len();
        for row in rows {
            let id: Uuid = Cells::new("exports", row).next()?;
            let sql = std::sync::Arc::clone(sql);
            self.database()
                .transact(move |tx| {
                    Box::pin(async move {
                        let params = [("id", id.into()), ("now", now.0.into())];
                        if tx.execute(&sql.export_expire, &params).await? > 0 {
                            tx.execute(&sql.export_delete_chunks, &params[..1]).await?;
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        Ok(count)
    }
}
