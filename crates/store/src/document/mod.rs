//! Documents and their immutable versions. Every write makes a version; a writer names the version
//! that it has read, so that nobody's change is lost.
mod read;
mod record;
mod write;

use std::sync::Arc;

use runstone_model::{
    ids::{DocumentId, ProjectId},
    quality::{Quality, assess},
    time::Timestamp,
};

use crate::{Error, phrase};

/// A text to store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// What sort of document it is, at most 50 characters.
    pub kind: String,
    /// BCP 47 tag, at most 35 characters.
    pub language: String,
    /// At most 300 characters.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Who writes, at most 300 characters.
    pub author: Option<String>,
    /// Why it was written, at most 500 characters.
    pub note: Option<String>,
    /// The headings of the sections that it must have.
    pub required: Vec<String>,
}

/// A document, with its newest version's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Its project.
    pub project: ProjectId,
    /// What sort of document it is.
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// Its title.
    pub title: String,
    /// The newest version, from 1.
    pub version: u32,
    /// The overall score in tenths of a point, 0 to 1,000.
    pub overall_tenths: u32,
    /// Words.
    pub words: i64,
    /// Bytes of the text.
    pub bytes: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When the newest version was made, or when it was restored.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// One version of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentVersion {
    /// Its document.
    pub document: DocumentId,
    /// Its number, from 1.
    pub version: u32,
    /// What sort of document it is.
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// Its title.
    pub title: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Why it was written.
    pub note: Option<String>,
    /// The version whose text it has again, after a rollback.
    pub restored_from: Option<u32>,
    /// When.
    pub created_at: Timestamp,
    /// SHA-256 of the text.
    pub hash: Vec<u8>,
    /// Bytes of the text.
    pub bytes: i64,
    /// The overall score in tenths of a point.
    pub overall_tenths: u32,
    /// The headings of the sections that it must have.
    pub required: Vec<String>,
    /// Its scores.
    pub quality: Quality,
    /// The text; left out in lists.
    pub body: Option<String>,
}

/// Which documents to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentFilter {
    /// Of this sort.
    pub kind: Option<String>,
    /// In exactly this language.
    pub language: Option<String>,
    /// With at least this overall score, in tenths of a point.
    pub min_overall_tenths: u32,
    /// Whose title or text has this phrase, in any case.
    pub phrase: Option<String>,
    /// The deleted ones instead of the others.
    pub deleted: bool,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is done; how the document is now.
    Done(Box<Document>),
    /// There is no such document in the project.
    Missing,
    /// It is deleted.
    Deleted,
    /// It has another version meanwhile.
    Stale {
        /// The present one.
        current: u32,
    },
    /// There is no version of that number to go back to.
    NoSuchVersion,
}

/// Texts longer than this are judged away from the async threads.
const BLOCKING_BYTES: usize = 32 << 10;

/// A draft with everything that is computed from it.
#[derive(Debug)]
struct Judged {
    draft: Draft,
    hash: Vec<u8>,
    quality: Quality,
    search_text: String,
}

impl Judged {
    fn new(draft: Draft) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, draft.body.as_bytes());
        Self {
            hash: digest.as_ref().to_vec(),
            quality: assess(&draft.body, &draft.language, &draft.required),
            search_text: phrase::folded(&format!("{}\n{}", draft.title, draft.body)),
            draft,
        }
    }

    async fn of(draft: Draft) -> Result<Arc<Self>, Error> {
        if draft.body.len() < BLOCKING_BYTES {
            return Ok(Arc::new(Self::new(draft)));
        }
        let judged = tokio::task::spawn_blocking(|| Arc::new(Self::new(draft))).await;
        judged.map_err(|_| Error::Other("judging the document was interrupted".to_owned()))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a score is from 0 to 100"
    )]
    fn overall_tenths(&self) -> u32 {
        (self.quality.overall * 10.0).round() as u32
    }
}
