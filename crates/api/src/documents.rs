//! Documents, their versions, differences and scores.
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A document, with its newest version's values; the text is with the version.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// Its id.
    pub id: Uuid,
    /// What sort of document it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// Its title.
    pub title: String,
    /// The newest version, from 1; also the ETag.
    pub version: i64,
    /// The newest version's overall score, 0 to 100.
    pub overall: f64,
    /// Words of the newest text.
    pub words: i64,
    /// Bytes of the newest text.
    pub bytes: i64,
    /// When it was made, UTC.
    pub created_at: String,
    /// When it was written or restored last, UTC.
    pub updated_at: String,
    /// When it was deleted, UTC; it can be restored until it is purged.
    pub deleted_at: Option<String>,
}

/// One version of a document. It never changes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentVersion {
    /// Its document.
    pub document_id: Uuid,
    /// Its number, from 1.
    pub version: i64,
    /// What sort of document it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// Its title.
    pub title: String,
    /// Who wrote it, as the writer says.
    pub author: Option<String>,
    /// Why it was written.
    pub note: Option<String>,
    /// The version whose text it has again, after a rollback.
    pub restored_from: Option<i64>,
    /// When it was written, UTC.
    pub created_at: String,
    /// SHA-256 of the text, in hex.
    pub sha256: String,
    /// Bytes of the text.
    pub bytes: i64,
    /// The headings of the sections that it must have.
    pub required_sections: Vec<String>,
    /// Its scores, computed by the server.
    pub quality: Quality,
    /// The text, Markdown; left out in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Scores from 0 to 100 by the formulas in docs/documents.md.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Quality {
    /// The weighted mean of the parts that apply.
    pub overall: f64,
    /// How easy it is to read; none without words, or in a script without spaces between them.
    pub readability: Option<Readability>,
    /// Headings, levels, paragraphs.
    pub structure: f64,
    /// Required sections, placeholders, empty sections.
    pub completeness: f64,
    /// The share of sound links; none without links.
    pub links: Option<f64>,
    /// What was counted.
    pub counts: TextCounts,
    /// What lowered the scores, at most 100.
    pub findings: Vec<QualityFinding>,
    /// How many findings there are in all.
    pub findings_total: u64,
}

/// How easy a text is to read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Readability {
    /// 0 is very hard, 100 very easy.
    pub score: f64,
    /// The formula, as in `flesch_reading_ease`; the language decides.
    pub formula: String,
    /// The formula's own value.
    pub value: f64,
    /// English only.
    pub flesch_kincaid_grade: Option<f64>,
    /// English only.
    pub gunning_fog: Option<f64>,
    /// Whether the text has the 100 words that the formulas were made for.
    pub enough_words: bool,
}

/// What a text consists of; code is not counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TextCounts {
    /// Sentences.
    pub sentences: u64,
    /// Words.
    pub words: u64,
    /// Syllables; 0 where the language has no rules.
    pub syllables: u64,
    /// Letters and digits.
    pub letters: u64,
    /// Words of more than six letters.
    pub long_words: u64,
    /// Words of three syllables and more.
    pub hard_words: u64,
    /// Headings.
    pub headings: u64,
    /// Links.
    pub links: u64,
}

/// One thing that lowered a score.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct QualityFinding {
    /// Stable code, as in `broken_anchor`.
    pub code: String,
    /// The line of the text, from 1; 0 for the text as a whole.
    pub line: u64,
    /// What was found and how to mend it.
    pub message: String,
}

/// A new document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDocument {
    /// What sort of document it is: a name of your own.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_-]*$")]
    pub kind: String,
    /// BCP 47 tag; it chooses the formula of readability.
    #[schema(
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
    )]
    pub language: String,
    /// Its title.
    #[schema(min_length = 1, max_length = 300)]
    pub title: String,
    /// The text, Markdown.
    #[schema(max_length = 1048576)]
    pub body: String,
    /// Who writes.
    #[schema(min_length = 1, max_length = 300)]
    pub author: Option<String>,
    /// Why.
    #[schema(max_length = 500)]
    pub note: Option<String>,
    /// The headings of the sections that it must have, at most 300 characters each.
    #[schema(max_items = 50)]
    pub required_sections: Option<Vec<String>>,
}

/// A new version of a document. What is not given stays as it was, but author and note.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteDocument {
    /// What sort of document it is.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_-]*$")]
    pub kind: Option<String>,
    /// BCP 47 tag.
    #[schema(
        min_length = 2,
        max_length = 35,
        pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"
    )]
    pub language: Option<String>,
    /// Its title.
    #[schema(min_length = 1, max_length = 300)]
    pub title: Option<String>,
    /// The text, Markdown.
    #[schema(max_length = 1048576)]
    pub body: String,
    /// Who writes.
    #[schema(min_length = 1, max_length = 300)]
    pub author: Option<String>,
    /// Why.
    #[schema(max_length = 500)]
    pub note: Option<String>,
    /// The headings of the sections that it must have.
    #[schema(max_items = 50)]
    pub required_sections: Option<Vec<String>>,
}

/// Back to the text of an earlier version, as a new version.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    /// The version whose text it gets again.
    #[schema(minimum = 1, maximum = 4294967295_i64)]
    pub to: u32,
    /// Who does it.
    #[schema(min_length = 1, max_length = 300)]
    pub author: Option<String>,
    /// Why.
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// Which documents.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListDocuments {
    /// Of this type.
    #[serde(rename = "type")]
    #[param(min_length = 1, max_length = 50)]
    pub kind: Option<String>,
    /// In exactly this language.
    #[param(min_length = 2, max_length = 35)]
    pub language: Option<String>,
    /// With at least this overall score.
    #[param(minimum = 0, maximum = 100)]
    pub min_overall: Option<u32>,
    /// Whose title or newest text has this phrase, in any case.
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The deleted ones instead.
    pub deleted: Option<bool>,
}

/// Which versions to compare.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CompareVersions {
    /// The older version; the one before `to` when not given.
    #[param(minimum = 1, maximum = 4294967295_i64)]
    pub from: Option<u32>,
    /// The newer version; the newest when not given.
    #[param(minimum = 1, maximum = 4294967295_i64)]
    pub to: Option<u32>,
    /// Lines around each change; 3 when not given.
    #[param(minimum = 0, maximum = 100)]
    pub context: Option<u32>,
}

/// What changed between two versions, line by line.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DocumentDiff {
    /// The older version.
    pub from: i64,
    /// The newer version.
    pub to: i64,
    /// Lines only in the newer one.
    pub added: u64,
    /// Lines only in the older one.
    pub removed: u64,
    /// Lines in both.
    pub unchanged: u64,
    /// The changes with the lines around them.
    pub hunks: Vec<DiffHunk>,
    /// The same in the unified format.
    pub unified: String,
}

/// Changes near to each other.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DiffHunk {
    /// The first line in the older text, from 1.
    pub old_start: u64,
    /// So many lines of it.
    pub old_lines: u64,
    /// The first line in the newer text, from 1.
    pub new_start: u64,
    /// So many lines of it.
    pub new_lines: u64,
    /// The lines.
    pub lines: Vec<DiffLine>,
}

/// One line of a hunk.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DiffLine {
    /// `same`, `added` or `removed`.
    #[schema(pattern = "^(same|added|removed)$")]
    pub change: String,
    /// Its number in the older text, from 1.
    pub old: Option<u64>,
    /// Its number in the newer text, from 1.
    pub new: Option<u64>,
    /// The line without its end.
    pub text: String,
    /// It is the last line and has no line feed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_newline: bool,
}
