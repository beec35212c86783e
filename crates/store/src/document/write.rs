//! Writing documents: each write is a new version in one transaction with the document's own row,
//! whose number the writer must have read.
use std::sync::Arc;

use runstone_db::{Class, Error as DbError, RetryPolicy, Tx, Value, retry};
use runstone_model::{
    ids::{DocumentId, ProjectId},
    time::Timestamp,
};

use super::{Document, Draft, Judged, Written};
use crate::{Error, SqlStore, catalog::Catalog};

/// One new version.
#[derive(Clone, Debug)]
struct Write {
    project: ProjectId,
    id: DocumentId,
    version: u32,
    judged: Arc<Judged>,
    restored_from: Option<u32>,
    now: Timestamp,
}

impl SqlStore {
    /// Stores a document with its first version.
    ///
    /// # Errors
    /// What the database answered. Nothing has changed then, unless the connection broke or the
    /// time was up at the commit: then the version may be there.
    pub async fn create_document(
        &self,
        project: ProjectId,
        id: DocumentId,
        draft: Draft,
        now: Timestamp,
    ) -> Result<Document, Error> {
        let write = Write {
            project,
            id,
            version: 1,
            judged: Judged::of(draft).await?,
            restored_from: None,
            now,
        };
        let sql = Arc::clone(self.sql());
        let created = write.clone();
        self.database()
            .transact(move |tx| {
                Box::pin(async move {
                    let mut params = created.document_params();
                    params.push(("created_at", created.now.0.into()));
                    tx.execute(&sql.document_insert, &params).await?;
                    created.insert_version(tx, &sql).await
                })
            })
            .await?;
        Ok(write.document(now))
    }

    /// Stores `draft` as the version after `expected`.
    ///
    /// # Errors
    /// What the database answered. Nothing has changed then, unless the connection broke or the
    /// time was up at the commit: then the version may be there.
    pub async fn write_document(
        &self,
        project: ProjectId,
        id: DocumentId,
        expected: u32,
        draft: Draft,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let judged = Judged::of(draft).await?;
        self.write(project, id, expected, judged, None, now).await
    }

    /// Stores the text of version `to` as the version after `expected`.
    ///
    /// # Errors
    /// What the database answered. Nothing has changed then, unless the connection broke or the
    /// time was up at the commit: then the version may be there.
    pub async fn rollback_document(
        &self,
        project: ProjectId,
        id: DocumentId,
        expected: u32,
        to: u32,
        by: (Option<String>, Option<String>),
        now: Timestamp,
    ) -> Result<Written, Error> {
        let Some(old) = self.document_version(project, id, to).await? else {
            return Ok(match self.document(project, id).await? {
                None => Written::Missing,
                Some(_) => Written::NoSuchVersion,
            });
        };
        let (author, note) = by;
        let draft = Draft {
            kind: old.kind,
            language: old.language,
            title: old.title,
            body: old.body.unwrap_or_default(),
            author,
            note,
            required: old.required,
        };
        let judged = Judged::of(draft).await?;
        self.write(project, id, expected, judged, Some(to), now)
            .await
    }

    async fn write(
        &self,
        project: ProjectId,
        id: DocumentId,
        expected: u32,
        judged: Arc<Judged>,
        restored_from: Option<u32>,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let write = Write {
            project,
            id,
            version: expected.saturating_add(1),
            judged,
            restored_from,
            now,
        };
        let done = retry(RetryPolicy::default(), || async {
            let (sql, write) = (Arc::clone(self.sql()), write.clone());
            let done = self
                .database()
                .transact(move |tx| {
                    Box::pin(async move {
                        let mut params = write.document_params();
                        params.push(("expected", expected.into()));
                        if tx.execute(&sql.document_update, &params).await? == 0 {
                            return Ok(false);
                        }
                        write.insert_version(tx, &sql).await.map(|()| true)
                    })
                })
                .await;
            done.map_err(for_retry)
        })
        .await?;
        let now = self.document(project, id).await?;
        Ok(match now {
            None => Written::Missing,
            Some(document) if done => Written::Done(Box::new(Document {
                // Others may have written since.
                ..write.document(document.created_at)
            })),
            Some(document) => refused(&document, expected),
        })
    }

    /// Deletes a document at version `expected`; it can be restored.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn delete_document(
        &self,
        project: ProjectId,
        id: DocumentId,
        expected: u32,
        now: Timestamp,
    ) -> Result<Written, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("expected", expected.into()),
            ("now", now.0.into()),
        ];
        let done = self
            .database()
            .execute(&self.sql().document_set_deleted, &params)
            .await?
            > 0;
        Ok(match self.document(project, id).await? {
            None => Written::Missing,
            Some(document) if done => Written::Done(Box::new(document)),
            Some(document) => refused(&document, expected),
        })
    }

    /// Brings a deleted document back; None when there is no deleted one.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn restore_document(
        &self,
        project: ProjectId,
        id: DocumentId,
        now: Timestamp,
    ) -> Result<Option<Document>, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("now", now.0.into()),
        ];
        if self
            .database()
            .execute(&self.sql().document_restore, &params)
            .await?
            == 0
        {
            return Ok(None);
        }
        self.document(project, id).await
    }

    /// Removes a deleted document with all its versions; false when there is no deleted one.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn purge_document(&self, project: ProjectId, id: DocumentId) -> Result<bool, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        Ok(self
            .database()
            .execute(&self.sql().document_purge, &params)
            .await?
            > 0)
    }
}

/// Why a document was not written.
fn refused(document: &Document, expected: u32) -> Written {
    match document.deleted_at {
        Some(_) => Written::Deleted,
        // Restored since it was refused as deleted: the writer reads it again.
        None if document.version == expected => Written::Deleted,
        None => Written::Stale {
            current: document.version,
        },
    }
}

/// A lost answer must not be tried again: the first attempt may have made the version.
fn for_retry(mut error: DbError) -> DbError {
    match error.class {
        Class::Gone => error.class = Class::Unavailable,
        // Two writers of the same number.
        Class::Unique => error.class = Class::Serialization,
        _ => {}
    }
    error
}

impl Write {
    fn document_params(&self) -> Vec<(&'static str, Value)> {
        let Judged {
            draft,
            quality,
            search_text,
            ..
        } = &*self.judged;
        vec![
            ("id", self.id.0.into()),
            ("project", self.project.0.into()),
            ("type", draft.kind.as_str().into()),
            ("language", draft.language.as_str().into()),
            ("title", draft.title.as_str().into()),
            ("version", self.version.into()),
            ("overall", self.judged.overall_tenths().into()),
            ("words", size(quality.counts.words).into()),
            ("bytes", size(draft.body.len()).into()),
            ("updated_at", self.now.0.into()),
            ("search_text", search_text.as_str().into()),
        ]
    }

    async fn insert_version(&self, tx: &mut Tx, sql: &Catalog) -> Result<(), DbError> {
        let Judged {
            draft,
            quality,
            hash,
            ..
        } = &*self.judged;
        let json = |error: serde_json::Error| DbError::other(error.to_string());
        let params = [
            ("id", self.id.0.into()),
            ("version", self.version.into()),
            ("type", draft.kind.as_str().into()),
            ("language", draft.language.as_str().into()),
            ("title", draft.title.as_str().into()),
            ("author", draft.author.as_deref().into()),
            ("note", draft.note.as_deref().into()),
            ("restored_from", self.restored_from.into()),
            ("created_at", self.now.0.into()),
            ("hash", hash.as_slice().into()),
            ("bytes", size(draft.body.len()).into()),
            ("overall", self.judged.overall_tenths().into()),
            (
                "required",
                serde_json::to_string(&draft.required).map_err(json)?.into(),
            ),
            (
                "quality",
                serde_json::to_string(quality).map_err(json)?.into(),
            ),
            ("body", draft.body.as_str().into()),
        ];
        tx.execute(&sql.document_insert_version, &params)
            .await
            .map(drop)
    }

    /// The document as this write left it.
    fn document(&self, created_at: Timestamp) -> Document {
        let Judged { draft, quality, .. } = &*self.judged;
        Document {
            id: self.id,
            project: self.project,
            kind: draft.kind.clone(),
            language: draft.language.clone(),
            title: draft.title.clone(),
            version: self.version,
            overall_tenths: self.judged.overall_tenths(),
            words: size(quality.counts.words),
            bytes: size(draft.body.len()),
            created_at,
            updated_at: self.now,
            deleted_at: None,
        }
    }
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
