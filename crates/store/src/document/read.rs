//! Reading documents: one, a version, the history, lists and searches.
use runstone_db::Value;
use runstone_model::{
    ids::{DocumentId, ProjectId},
    time::Timestamp,
};

use super::{Document, DocumentFilter, DocumentVersion, record};
use crate::{
    Error, Sifted, SqlStore, Total, Walk,
    catalog::Pages,
    cells::Cells,
    sift::{Sieve, SiftKey},
};

/// Documents that are looked at most to count those that fit, when no text has to be read.
const COUNTED: u32 = 100_000;

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

    /// A page of a project's documents as they were made. What no index tells is looked for in a
    /// bounded part of them.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn documents(
        &self,
        project: ProjectId,
        filter: &DocumentFilter,
        walk: Walk<DocumentId>,
    ) -> Result<Sifted<Document, DocumentId>, Error> {
        let sql = self.sql();
        let (search, of_type) = (&sql.document_search, &sql.document_search_of_type);
        let sieve = self.sieve(project, filter, (search, of_type));
        let read = |row| record::document(row, project);
        self.sift(&sieve, walk, read, |_| 0).await
    }

    /// The same as they were changed last; a document that changes in the meantime moves.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn documents_by_update(
        &self,
        project: ProjectId,
        filter: &DocumentFilter,
        walk: Walk<(Timestamp, DocumentId)>,
    ) -> Result<Sifted<Document, (Timestamp, DocumentId)>, Error> {
        let sql = self.sql();
        let mut wanted = self.wanted(filter);
        wanted.push(("type", text(&filter.kind)));
        let sieve = Sieve {
            keys: &sql.document_keys_by_update,
            fitting: &sql.document_search_by_update,
            list: vec![("project", project.0.into())],
            wanted,
            reads_texts: filter.phrase.is_some(),
            all_fit: false,
        };
        let read = |row| record::document(row, project);
        self.sift(&sieve, walk, read, |_| 0).await
    }

    /// Along the ids of all documents, or of those of the type that is wanted.
    fn sieve<'a>(
        &'a self,
        project: ProjectId,
        filter: &DocumentFilter,
        (fitting, fitting_of_type): (&'a Pages, &'a Pages),
    ) -> Sieve<'a> {
        let sql = self.sql();
        let of_all = Sieve {
            keys: &sql.document_keys,
            fitting,
            list: vec![("project", project.0.into())],
            wanted: self.wanted(filter),
            reads_texts: filter.phrase.is_some(),
            all_fit: false,
        };
        match filter.kind.as_deref() {
            None => of_all,
            Some(kind) => Sieve {
                keys: &sql.document_keys_of_type,
                fitting: fitting_of_type,
                list: vec![("project", project.0.into()), ("type", kind.into())],
                ..of_all
            },
        }
    }

    /// What is wanted of a document besides its type.
    fn wanted(&self, filter: &DocumentFilter) -> Vec<(&'static str, Value)> {
        let phrase = filter.phrase.as_deref().unwrap_or_default();
        let mut wanted = filter.params();
        wanted.push(("pattern", self.pattern(phrase)));
        wanted
    }

    /// How many documents a list has in all.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn count_documents(
        &self,
        project: ProjectId,
        filter: &DocumentFilter,
    ) -> Result<Total, Error> {
        let sql = self.sql();
        if filter.phrase.is_some() {
            let (found, of_type) = (&sql.document_count_found, &sql.document_count_found_of_type);
            let sieve = self.sieve(project, filter, (found, of_type));
            return self.sift_count::<DocumentId>(&sieve).await;
        }
        let project = ("project", Value::from(project.0));
        if filter.is_of_any() {
            let params = [project, ("deleted", i64::from(filter.deleted).into())];
            return Ok(Total::Is(self.found(&sql.document_count, &params).await?));
        }
        let kind = filter.kind.as_deref();
        let statement = match kind {
            None => &sql.document_count_fitting,
            Some(_) => &sql.document_count_fitting_of_type,
        };
        let kind = kind.map(|kind| ("type", kind.into()));
        let params = filter.params().into_iter().chain([project]).chain(kind);
        self.total(statement, COUNTED, params).await
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

/// Nothing is an empty text.
fn text(value: &Option<String>) -> Value {
    value.as_deref().unwrap_or_default().into()
}

impl DocumentFilter {
    /// Every document that is deleted, or that is not.
    fn is_of_any(&self) -> bool {
        let any = Self {
            deleted: self.deleted,
            ..Self::default()
        };
        *self == any
    }

    /// All but the type and the phrase.
    fn params(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("language", text(&self.language)),
            ("min_overall", self.min_overall_tenths.into()),
            ("deleted", i64::from(self.deleted).into()),
        ]
    }
}

impl SiftKey for DocumentId {
    fn read(cells: &mut Cells) -> Result<Self, Error> {
        Ok(Self(cells.next()?))
    }
}

impl SiftKey for (Timestamp, DocumentId) {
    fn read(cells: &mut Cells) -> Result<Self, Error> {
        Ok((Timestamp(cells.next()?), DocumentId(cells.next()?)))
    }
}
