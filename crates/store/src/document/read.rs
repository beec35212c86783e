//! Reading documents: one, a version, the history, lists and searches.
use runstone_db::{Dialect, Statement, Value};
use runstone_model::ids::{DocumentId, ProjectId};

use super::{Document, DocumentFilter, DocumentOrder, DocumentVersion, record};
use crate::{Error, SqlStore, Walk, phrase};

impl SqlStore {
    /// A document of a project, deleted or not.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn document(
        &self,
        project: ProjectId,
        id: DocumentId,
    ) -> Result<Option<Document>, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        self.one(&self.sql().document_get, &params, |row| {
            record::document(row, project)
        })
        .await
    }

    /// One version with its text, whether the document is deleted or not.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn document_version(
        &self,
        project: ProjectId,
        id: DocumentId,
        version: u32,
    ) -> Result<Option<DocumentVersion>, Error> {
        let params = [
            ("id", id.0.into()),
            ("project", project.0.into()),
            ("version", version.into()),
        ];
        self.one(&self.sql().document_version, &params, |row| {
            record::version(row, project)
        })
        .await
    }

    /// A page of a document's versions, without their texts.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn document_versions(
        &self,
        project: ProjectId,
        id: DocumentId,
        walk: &Walk<i64>,
    ) -> Result<Vec<DocumentVersion>, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        self.page(&self.sql().document_versions, walk, params, |row| {
            record::version(row, project)
        })
        .await
    }

    /// How many versions a document has.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_document_versions(
        &self,
        project: ProjectId,
        id: DocumentId,
    ) -> Result<u64, Error> {
        let params = [("id", id.0.into()), ("project", project.0.into())];
        self.found(&self.sql().document_count_versions, &params)
            .await
    }

    /// A page of a project's documents.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn documents(
        &self,
        project: ProjectId,
        filter: &DocumentFilter,
        order: &DocumentOrder,
    ) -> Result<Vec<Document>, Error> {
        let sql = self.sql();
        let pages = match (order, filter) {
            (DocumentOrder::Updated(_), _) => &sql.document_page_by_update,
            (_, DocumentFilter { deleted: true, .. }) => &sql.document_page_deleted,
            (
                _,
                DocumentFilter {
                    phrase: Some(_), ..
                },
            ) => &sql.document_search,
            (_, DocumentFilter { kind: Some(_), .. }) => &sql.document_page_of_type,
            _ => &sql.document_page,
        };
        let (direction, first) = match order {
            DocumentOrder::Created(walk) => (walk.direction, walk.beyond.is_none()),
            DocumentOrder::Updated(walk) => (walk.direction, walk.beyond.is_none()),
        };
        let params = fitting(
            pages.at(direction, first),
            filtered(self.database().dialect(), project, filter),
        );
        let read = |row| record::document(row, project);
        match order {
            DocumentOrder::Created(walk) => self.page(pages, walk, params, read).await,
            DocumentOrder::Updated(walk) => self.page(pages, walk, params, read).await,
        }
    }

    /// How many documents a list has in all.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_documents(
        &self,
        project: ProjectId,
        filter: &DocumentFilter,
    ) -> Result<u64, Error> {
        let sql = self.sql();
        let statement = match &filter.phrase {
            Some(_) if !filter.deleted => &sql.document_count_found,
            _ => &sql.document_count,
        };
        let params = fitting(
            statement,
            filtered(self.database().dialect(), project, filter),
        );
        self.found(statement, &params).await
    }

    /// The documents of `kind` and `language` after `after` with their newest texts, oldest first.
    ///
    /// # Errors
    /// What the database answered.
    pub(crate) async fn documents_to_export(
        &self,
        project: ProjectId,
        kind: Option<&str>,
        language: Option<&str>,
        after: DocumentId,
        limit: u32,
    ) -> Result<Vec<DocumentVersion>, Error> {
        let params = [
            ("project", project.0.into()),
            ("after", after.0.into()),
            ("type", kind.unwrap_or_default().into()),
            ("language", language.unwrap_or_default().into()),
            ("limit", limit.into()),
        ];
        self.all(&self.sql().document_to_export, &params, |row| {
            record::version(row, project)
        })
        .await
    }
}

fn filtered(
    dialect: Dialect,
    project: ProjectId,
    filter: &DocumentFilter,
) -> Vec<(&'static str, Value)> {
    let text = |value: &Option<String>| Value::from(value.as_deref().unwrap_or_default());
    let phrase = filter.phrase.as_deref();
    let phrase = phrase.map(|phrase| phrase::pattern(dialect, phrase));
    vec![
        ("project", project.0.into()),
        ("type", text(&filter.kind)),
        ("language", text(&filter.language)),
        ("min_overall", filter.min_overall_tenths.into()),
        ("deleted", i64::from(filter.deleted).into()),
        ("pattern", phrase.unwrap_or_default().into()),
    ]
}

/// Those that the statement has.
fn fitting(
    statement: &Statement,
    params: impl IntoIterator<Item = (&'static str, Value)>,
) -> Vec<(&'static str, Value)> {
    let known = |name: &str| statement.params().iter().any(|param| param == name);
    params.into_iter().filter(|(name, _)| known(name)).collect()
}
