//! Documents as they travel.
use runstone_api::documents::{Document, DocumentDiff, DocumentVersion};
use runstone_model::diff::{Diff, unified};
use runstone_store::document::{Document as Stored, DocumentVersion as StoredVersion};

use crate::{Answer, routes::versioned::same};

pub(super) fn document(stored: &Stored) -> Document {
    Document {
        id: stored.id.0,
        kind: stored.kind.clone(),
        language: stored.language.clone(),
        title: stored.title.clone(),
        version: stored.version.into(),
        overall: f64::from(stored.overall_tenths) / 10.0,
        words: stored.words,
        bytes: stored.bytes,
        created_at: stored.created_at.rfc3339(),
        updated_at: stored.updated_at.rfc3339(),
        deleted_at: stored.deleted_at.map(|at| at.rfc3339()),
    }
}

pub(super) fn version(stored: StoredVersion) -> Answer<DocumentVersion> {
    Ok(DocumentVersion {
        quality: same(&stored.quality)?,
        document_id: stored.document.0,
        version: stored.version.into(),
        kind: stored.kind,
        language: stored.language,
        title: stored.title,
        author: stored.author,
        note: stored.note,
        restored_from: stored.restored_from.map(i64::from),
        created_at: stored.created_at.rfc3339(),
        sha256: stored
            .hash
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        bytes: stored.bytes,
        required_sections: stored.required,
        body: stored.body,
    })
}

pub(super) fn difference(diff: &Diff, from: u32, to: u32) -> Answer<DocumentDiff> {
    let (old, new) = (format!("version {from}"), format!("version {to}"));
    Ok(DocumentDiff {
        from: from.into(),
        to: to.into(),
        added: diff.added as u64,
        removed: diff.removed as u64,
        unchanged: diff.unchanged as u64,
        hunks: same(&diff.hunks)?,
        unified: unified(diff, &old, &new),
    })
}
