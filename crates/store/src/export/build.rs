//! Building one export: claimed by whoever comes first, written in pieces, fenced by its attempt, so
//! that a builder that was thought dead cannot spoil the work of the next one.
use std::{sync::Arc, time::Duration};

use runstone_db::Value;
use runstone_model::{
    ids::{DocumentId, ExportId},
    time::Timestamp,
};
use uuid::Uuid;

use super::{Export, ExportStatus, KEPT_MS, archive::Archive, export};
use crate::{Error, SqlStore, catalog::Catalog, document::DocumentVersion};

/// A builder that has written nothing for so long is dead.
const SILENCE: Duration = Duration::from_secs(60);
/// Documents read at a time: their texts are in memory together.
const PAGE: u32 = 16;
/// An export that broke off so often is given up.
const MAX_ATTEMPTS: i64 = 5;
/// What people see; the cause is in the log.
const GIVEN_UP: &str = "the archive could not be built; ask for a new one";

/// What one look for work did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// The export that was worked on.
    pub export: Option<ExportId>,
    /// Whether it can be downloaded now.
    pub ready: bool,
    /// Why it could not be built.
    pub failure: Option<String>,
    /// There may be more to do.
    pub more: bool,
}

/// One builder's right to an export.
#[derive(Clone, Copy)]
struct Claim {
    id: Uuid,
    attempt: i64,
}

/// How far the archive is.
#[derive(Clone, Copy, Default)]
struct Written {
    chunks: i64,
    bytes: i64,
    documents: i64,
}

impl SqlStore {
    /// Builds the oldest export that waits, if there is one. `clock` tells the time. Safe to run on
    /// several servers at once, and again after a crash.
    ///
    /// # Errors
    /// What the database answered; the export is built by a later call then.
    pub async fn build_export(
        &self,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
    ) -> Result<Built, Error> {
        let sql = self.sql();
        let now = clock();
        let silence = i64::try_from(SILENCE.as_micros()).unwrap_or(i64::MAX);
        let heard_before = [("heard_before", now.0.saturating_sub(silence).into())];
        let waiting = self
            .database()
            .fetch_optional(&sql.export_waiting, &heard_before)
            .await?;
        let Some(row) = waiting else {
            return Ok(Built::default());
        };
        let wanted = export(row)?;
        let mut built = Built {
            export: Some(wanted.id),
            more: true,
            ..Built::default()
        };
        let Some(claim) = self.claim_export(&wanted, now).await? else {
            return Ok(built);
        };
        if wanted.attempt >= MAX_ATTEMPTS {
            let failure = format!("building it broke off {MAX_ATTEMPTS} times");
            self.give_up(claim, clock()).await?;
            built.failure = Some(failure);
            return Ok(built);
        }
        match self.write_archive(&wanted, claim, clock).await {
            Ok(ready) => built.ready = ready,
            Err(error @ Error::Unavailable(_)) => return Err(error),
            Err(error) => {
                self.give_up(claim, clock()).await?;
                built.failure = Some(error.to_string());
            }
        }
        Ok(built)
    }

    async fn claim_export(&self, wanted: &Export, now: Timestamp) -> Result<Option<Claim>, Error> {
        let (id, attempt) = (wanted.id.0, wanted.attempt);
        let sql = Arc::clone(self.sql());
        let claimed = self
            .database()
            .transact(move |tx| {
                Box::pin(async move {
                    let key: [(&str, Value); 1] = [("id", id.into())];
                    let params = [
                        ("id", id.into()),
                        ("attempt", attempt.into()),
                        ("now", now.0.into()),
                    ];
                    if tx.execute(&sql.export_claim, &params).await? == 0 {
                        return Ok(false);
                    }
                    tx.execute(&sql.export_delete_chunks, &key).await?;
                    Ok(true)
                })
            })
            .await?;
        Ok(claimed.then_some(Claim {
            id,
            attempt: attempt + 1,
        }))
    }

    /// Whether it is complete; false when another builder has taken it.
    async fn write_archive(
        &self,
        wanted: &Export,
        claim: Claim,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
    ) -> Result<bool, Error> {
        let mut archive = Archive::new();
        let mut written = Written::default();
        let mut after = DocumentId(Uuid::nil());
        loop {
            let page = self
                .documents_to_export(
                    wanted.project,
                    wanted.selection.kind.as_deref(),
                    wanted.selection.language.as_deref(),
                    after,
                    PAGE,
                )
                .await?;
            let Some(last) = page.last() else { break };
            after = last.document;
            let (next, pieces) = off_thread(move || added(archive, page)).await?;
            archive = next;
            written.documents = size(archive.documents());
            for piece in pieces {
                if !self
                    .write_chunk(claim, piece, &mut written, clock())
                    .await?
                {
                    return Ok(false);
                }
            }
        }
        let (id, project, selection) = (wanted.id, wanted.project, wanted.selection.clone());
        let now = clock();
        let end = move || archive.finish(id, project, &selection, now);
        let (pieces, sha256) = off_thread(end).await?;
        for piece in pieces {
            if !self
                .write_chunk(claim, piece, &mut written, clock())
                .await?
            {
                return Ok(false);
            }
        }
        self.finish_export(claim, ExportStatus::Ready, Some(sha256), clock())
            .await
    }

    async fn write_chunk(
        &self,
        claim: Claim,
        piece: Vec<u8>,
        written: &mut Written,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let seq = written.chunks;
        written.chunks += 1;
        written.bytes += size(piece.len());
        let progress = *written;
        let sql: Arc<Catalog> = Arc::clone(self.sql());
        Ok(self
            .database()
            .transact(move |tx| {
                Box::pin(async move {
                    let params = [
                        ("id", claim.id.into()),
                        ("attempt", claim.attempt.into()),
                        ("now", now.0.into()),
                        ("chunks", progress.chunks.into()),
                        ("bytes", progress.bytes.into()),
                        ("documents", progress.documents.into()),
                    ];
                    if tx.execute(&sql.export_progress, &params).await? == 0 {
                        return Ok(false);
                    }
                    let params = [
                        ("id", claim.id.into()),
                        ("seq", seq.into()),
                        ("body", piece.into()),
                    ];
                    tx.execute(&sql.export_insert_chunk, &params).await?;
                    Ok(true)
                })
            })
            .await?)
    }

    async fn finish_export(
        &self,
        claim: Claim,
        status: ExportStatus,
        sha256: Option<String>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let ready = status == ExportStatus::Ready;
        let expires_at = ready.then(|| now.plus(Duration::from_millis(KEPT_MS)).0);
        let params = [
            ("id", claim.id.into()),
            ("attempt", claim.attempt.into()),
            ("status", status.name().into()),
            ("now", now.0.into()),
            ("expires_at", expires_at.into()),
            ("sha256", sha256.into()),
            ("error", (!ready).then_some(GIVEN_UP).into()),
        ];
        Ok(self
            .database()
            .execute(&self.sql().export_finish, &params)
            .await?
            > 0)
    }

    async fn give_up(&self, claim: Claim, now: Timestamp) -> Result<(), Error> {
        if self
            .finish_export(claim, ExportStatus::Failed, None, now)
            .await?
        {
            let key = [("id", claim.id.into())];
            self.database()
                .execute(&self.sql().export_delete_chunks, &key)
                .await?;
        }
        Ok(())
    }
}

type Added = (Archive, Vec<Vec<u8>>);

fn added(mut archive: Archive, page: Vec<DocumentVersion>) -> Result<Added, Error> {
    for version in page {
        archive.add(version)?;
    }
    let pieces = archive.full_pieces();
    Ok((archive, pieces))
}

/// Compressing leaves the async threads.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::Unavailable("building was interrupted".to_owned())))
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
