//! Rows of documents and versions, read and checked: a row of another project is never handed out.
use runstone_db::Row as DbRow;
use runstone_model::{
    ids::{DocumentId, ProjectId},
    time::Timestamp,
};

use super::{Document, DocumentVersion};
use crate::{Error, cells::Cells};

/// A document of `project`.
pub(super) fn document(row: DbRow, project: ProjectId) -> Result<Document, Error> {
    let mut cells = Cells::new("documents", row);
    let id = DocumentId(cells.next()?);
    let of = ProjectId(cells.next()?);
    if of != project {
        return Err(cells.corrupt("a row of another project"));
    }
    Ok(Document {
        id,
        project: of,
        kind: cells.next()?,
        language: cells.next()?,
        title: cells.next()?,
        version: cells.next()?,
        overall_tenths: cells.next()?,
        words: cells.next()?,
        bytes: cells.next()?,
        created_at: Timestamp(cells.next()?),
        updated_at: Timestamp(cells.next()?),
        deleted_at: cells.next::<Option<i64>>()?.map(Timestamp),
    })
}

/// A version of a document of `project`; the text is the last column, where there is one.
pub(super) fn version(row: DbRow, project: ProjectId) -> Result<DocumentVersion, Error> {
    let mut cells = Cells::new("document_versions", row);
    if ProjectId(cells.next()?) != project {
        return Err(cells.corrupt("a row of another project"));
    }
    Ok(DocumentVersion {
        document: DocumentId(cells.next()?),
        version: cells.next()?,
        kind: cells.next()?,
        language: cells.next()?,
        title: cells.next()?,
        author: cells.next()?,
        note: cells.next()?,
        restored_from: cells.next()?,
        created_at: Timestamp(cells.next()?),
        hash: cells.next()?,
        bytes: cells.next()?,
        overall_tenths: cells.next()?,
        required: json(&mut cells)?,
        quality: json(&mut cells)?,
        body: cells.large()?,
    })
}

fn json<T: serde::de::DeserializeOwned>(cells: &mut Cells) -> Result<T, Error> {
    let text: String = cells.next()?;
    serde_json::from_str(&text).map_err(|error| cells.corrupt(error.to_string()))
}
